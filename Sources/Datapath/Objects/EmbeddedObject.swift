import Foundation
import Glibc
import SystemPackage

/// Compiled programs of bpf/ that this binary carries.
package enum EmbeddedObject {
    /// The ELF bytes of the datapath.
    ///
    /// - Throws: `EINVAL` when the build embedded something else.
    static func bytes() throws(BPFError) -> [UInt8] {
        defer { giveBack(EmbeddedBPFObject.base64) }
        return try bytes(of: EmbeddedBPFObject.base64)
    }

    /// The ELF bytes that `embed-bpf` wrote as this text.
    ///
    /// - Throws: `EINVAL` when it is not base64.
    package static func bytes(of text: StaticString) throws(BPFError) -> [UInt8] {
        let base64 = Data(
            bytesNoCopy: UnsafeMutableRawPointer(mutating: text.utf8Start), count: text.utf8CodeUnitCount,
            deallocator: .none)
        guard let data = Data(base64Encoded: base64) else {
            throw BPFError(.openObject, "the embedded BPF object", errno: .invalidArgument, detail: "it is not base64")
        }
        return [UInt8](data)
    }

    /// Unmaps the pages of a text, 5 MiB that nobody reads again. Constants are as their file is: whoever does read them maps them again.
    private static func giveBack(_ text: StaticString) {
        let page = UInt(getpagesize())
        let start = (UInt(bitPattern: text.utf8Start) + page - 1) / page * page
        let end = (UInt(bitPattern: text.utf8Start) + UInt(text.utf8CodeUnitCount)) / page * page
        // What begins or ends within a page shares it with others.
        guard start < end, let pages = UnsafeMutableRawPointer(bitPattern: start) else { return }
        madvise(pages, Int(end - start), MADV_DONTNEED)
    }
}
