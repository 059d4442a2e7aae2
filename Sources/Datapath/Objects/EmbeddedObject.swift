import Foundation
import SystemPackage

/// Compiled programs of bpf/ that this binary carries.
package enum EmbeddedObject {
    /// The ELF bytes of the datapath.
    ///
    /// - Throws: `EINVAL` when the build embedded something else.
    static func bytes() throws(BPFError) -> [UInt8] { try bytes(of: EmbeddedBPFObject.base64) }

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
}
