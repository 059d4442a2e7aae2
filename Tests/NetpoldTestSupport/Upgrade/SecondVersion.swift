import Foundation
import Synchronization

/// The programs of bpf/ compiled once more as those of another version: the same source over a netpold_abi.h with another
/// `NP_ABI_VERSION` and other structs.
public struct SecondVersion: Sendable {
    /// Which structs are others.
    public enum Change: String, Sendable, CaseIterable {
        /// Those of flows, endpoints and counters: fields added, and fields in other places. Everything has to be converted.
        case everything
        /// That of endpoints alone: flows and counters stay in the maps they are in.
        case endpoints
        /// None; but there is room for three pods and no more.
        case limits
    }

    /// Its `NP_ABI_VERSION`.
    public let number: Int
    /// The ELF file.
    public let object: [UInt8]

    private struct Made: Hashable {
        let change: Change
        let number: Int
    }
    private static let made = Mutex<[Made: [UInt8]]>([:])

    /// Compiles it, or takes what this process has compiled already: clang takes ten seconds.
    ///
    /// - Throws: when the header has not the lines that are to be changed, or clang refuses.
    public init(_ change: Change, number: Int = 9) throws {
        self.number = number
        // Held while clang runs: who comes meanwhile wants the same more often than not.
        object = try SecondVersion.made.withLock { made in
            let key = Made(change: change, number: number)
            if let object = made[key] { return object }
            let object = try SecondVersion.make(change, number)
            made[key] = object
            return object
        }
    }

    private static func make(_ change: Change, _ number: Int) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "netpold-abi-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let header = SecondVersion.package.appending(path: "Sources/CNetpoldABI/include/netpold_abi.h")
        var text = try String(contentsOf: header, encoding: .utf8)
        for (old, new) in try SecondVersion.edits(change, number, text) {
            guard text.contains(old) else { throw Failure("netpold_abi.h has no such lines any more:\n\(old)") }
            text = text.replacing(old, with: new, maxReplacements: 1)
        }
        try text.write(to: folder.appending(path: "netpold_abi.h"), atomically: false, encoding: .utf8)
        return try SecondVersion.compile(
            SecondVersion.package.appending(path: "bpf/np_veth.bpf.c"), over: folder)
    }

    private static var package: URL {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
    }

    private static func edits(_ change: Change, _ number: Int, _ text: String) throws -> [(String, String)] {
        guard let version = text.firstMatch(of: /#define NP_ABI_VERSION \d+/) else {
            throw Failure("no NP_ABI_VERSION")
        }
        var edits = [(String(version.output), "#define NP_ABI_VERSION \(number)")]
        if change == .limits { return edits + [("#define NP_MAX_ENDPOINTS 4096", "#define NP_MAX_ENDPOINTS 3")] }
        edits.append(("\t__u32 revision; /* bumped after", "\t__u64 zone;\n\t__u32 revision; /* bumped after"))
        guard change == .everything else { return edits }
        edits.append(
            (
                "\t__u32 last_seen; /* jiffies64 >> NP_FLOW_CLOCK_SHIFT, low half */\n\t__u32 flags; /* NP_ENTRY_* */\n",
                "\t__u32 flags; /* NP_ENTRY_* */\n\t__u32 last_seen; /* jiffies64 >> NP_FLOW_CLOCK_SHIFT, low half */\n"
            ))
        edits.append(("struct np_flow_record {\n", "struct np_flow_record {\n\t__u64 packets;\n"))
        edits.append(
            (
                "struct np_counter {\n\t__u64 packets;\n\t__u64 bytes;\n",
                "struct np_counter {\n\t__u64 bytes;\n\t__u64 packets;\n"
            ))
        edits.append(
            (
                "\t__u32 columns; /* that ever were learnt */\n\t__u32 earliest; /* until then all of `columns` hold */\n",
                "\t__u32 earliest; /* until then all of `columns` hold */\n\t__u32 columns; /* that ever were learnt */\n"
            ))
        return edits
    }

    /// Compiles a source over a folder of headers, in which the object is left too.
    static func compile(_ source: URL, over header: URL) throws -> [UInt8] {
        let output = header.appending(path: "np_veth.bpf.o")
        #if arch(x86_64)
            let multiarch = "/usr/include/x86_64-linux-gnu"
        #else
            let multiarch = "/usr/include/aarch64-linux-gnu"
        #endif
        let environment = ProcessInfo.processInfo.environment
        let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init) + ["/opt/swift/usr/bin"]
        let candidates = [environment["NETPOLD_CLANG"]].compactMap(\.self) + folders.map { "\($0)/clang" }
        var said = "no clang"
        for clang in candidates where FileManager.default.isExecutableFile(atPath: clang) {
            let process = Process()
            let pipe = Pipe()
            process.executableURL = URL(filePath: clang)
            // As embed-bpf does.
            process.arguments = [
                "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror",
                "-mllvm", "-hotcoldsplit-threshold=1000000", "-I", header.path(), "-idirafter", multiarch, "-c",
                source.path(), "-o", output.path(),
            ]
            process.standardError = pipe
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            if process.terminationStatus == 0 { return [UInt8](try Data(contentsOf: output)) }
        }
        throw Failure("the second version does not compile: \(said)")
    }

    /// What went wrong.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
