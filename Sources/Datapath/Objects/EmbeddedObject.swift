import Foundation

/// The compiled programs of bpf/ that this binary carries.
enum EmbeddedObject {
    /// The ELF bytes of the datapath.
    ///
    /// - Throws: `EINVAL` when the build embedded something else.
    static func bytes() throws(BPFError) -> [UInt8] { try bytes(of: EmbeddedBPFObject.base64) }

    /// The ELF bytes of the bench's reference programs.
    ///
    /// - Throws: `EINVAL` when the build embedded something else.
    static func benchBytes() throws(BPFError) -> [UInt8] { try bytes(of: EmbeddedBenchObject.base64) }

    private static func bytes(of text: StaticString) throws(BPFError) -> [UInt8] {
        let base64 = Data(
            bytesNoCopy: UnsafeMutableRawPointer(mutating: text.utf8Start), count: text.utf8CodeUnitCount,
            deallocator: .none)
        guard let data = Data(base64Encoded: base64) else {
            throw BPFError(.openObject, "the embedded BPF object", errno: EINVAL, detail: "it is not base64")
        }
        return [UInt8](data)
    }
}
