import Glibc
import Support

/// What this process's resident memory is, in bytes by kind.
public struct ResidentKinds: Sendable {
    /// Code and constants of the program and its libraries: pages of files, shared with whoever runs the same.
    public var code = 0
    /// What the loader and the program have written there: relocated pointers, variables.
    public var data = 0
    /// The heap: what is in use, by `malloc`.
    public var heapInUse = 0
    /// The rest of the heap: free pieces that were not given back.
    public var heapFree = 0
    /// Stacks of threads.
    public var stacks = 0
    /// Maps of the kernel that are mapped.
    public var maps = 0
    /// Whatever else.
    public var others = 0

    /// Of this moment. Zeroes where `/proc` cannot be read.
    static var now: ResidentKinds {
        var kinds = ResidentKinds()
        guard let file = fopen("/proc/self/smaps", "re") else { return kinds }
        defer { fclose(file) }
        var heap = 0
        var area = Area()
        var bytes = [CChar](repeating: 0, count: 8192)
        while fgets(&bytes, Int32(bytes.count), file) != nil {
            let line = String(
                decoding: bytes.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            guard let first = words.first else { continue }
            if first.contains("-") {
                area = Area(words, after: area)
            } else if words.count > 1, let kibibytes = Int(words[1]) {
                if first == "Rss:" { kinds.add(kibibytes << 10, of: area, &heap) }
                if first == "Private_Dirty:", area.isFile {
                    kinds.code -= kibibytes << 10
                    kinds.data += kibibytes << 10
                }
            }
        }
        kinds.heapInUse = min(heap, FreeMemory.bytesInUse)
        kinds.heapFree = heap - kinds.heapInUse
        return kinds
    }

    private mutating func add(_ bytes: Int, of area: Area, _ heap: inout Int) {
        switch area.kind {
        case .file: code += bytes
        case .map: maps += bytes
        case .heap: heap += bytes
        case .stack: stacks += bytes
        case .variables: data += bytes
        case .none: others += bytes
        }
    }

    /// A line of `smaps` that begins an area.
    private struct Area {
        enum Kind {
            case file
            case map
            case heap
            case stack
            /// Zeroed variables, behind the pages of their file.
            case variables
            case none
        }

        private static let largestGuard = 64 << 10
        var kind = Kind.none
        private var end: Substring = ""
        private var isGuard = false

        var isFile: Bool { kind == .file }

        init() {}

        init(_ words: [Substring], after last: Area) {
            let bounds = words[0].split(separator: "-")
            let name = words.count > 5 ? words[5].drop { $0 == " " } : ""
            end = bounds.last ?? ""
            let size = bounds.compactMap { Int($0, radix: 16) }.reduce(0) { $1 - $0 }
            // What an arena has not taken yet is like a guard page, and larger.
            isGuard = words.count > 1 && words[1].hasPrefix("---") && size <= Area.largestGuard
            if name.contains("bpf-map") {
                kind = .map
            } else if name.hasPrefix("/") {
                kind = .file
            } else if name.hasPrefix("[stack") {
                kind = .stack
            } else if name == "[heap]" {
                kind = .heap
            } else if !name.isEmpty {
                kind = .none
            } else if last.isFile, last.end == bounds.first {
                kind = .variables
            } else if last.isGuard, last.end == bounds.first {
                // A thread's stack lies behind its guard page.
                kind = .stack
            } else {
                // Arenas of other threads, and large pieces.
                kind = .heap
            }
        }
    }
}
