import CLinux
import Glibc

/// Memory that the process has freed.
public enum FreeMemory {
    /// Gives it back to the system: glibc keeps what lies between pieces in use, which after a large list is most of what it took.
    /// Takes some milliseconds, in which allocations of other threads wait.
    public static func giveBack() { _ = malloc_trim(0) }

    /// Gives back the pages of code that are mapped: what only the start needs is half of them. What is still needed is mapped again when
    /// it is called, from the page cache, in half a millisecond altogether.
    ///
    /// Pages of code are as their files are, so nothing is lost but a debugger's breakpoints.
    public static func giveBackCode() {
        guard let file = fopen("/proc/self/maps", "re") else { return }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 8192)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 5, words[1] == "r-xp", words[5].hasPrefix("/") else { continue }
            let bounds = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard bounds.count == 2, let start = UnsafeMutableRawPointer(bitPattern: bounds[0]) else { continue }
            madvise(start, Int(bounds[1] - bounds[0]), MADV_DONTNEED)
        }
    }

    /// What is not free: bytes of the heap in use.
    public static var bytesInUse: Int {
        let info = mallinfo2()
        return Int(info.uordblks + info.hblkhd)
    }

    /// Has glibc keep little of it: to be called before there are other threads.
    ///
    /// Without this each thread takes from a heap of its own, and what one has read of a list and another has freed stays there: 40 MiB
    /// with 10,000 pods. And a piece that is larger than any that was freed comes from a heap too, whose end it holds.
    public static func keepLittle() {
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, 256 << 10)
        mallopt(M_TRIM_THRESHOLD, 256 << 10)
    }
}
