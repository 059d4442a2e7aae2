import CLibBPF
import Support

/// A program in the kernel. Owns a file descriptor of it.
public final class BPFProgram: Sendable {
    /// The program's name, for messages.
    public let name: String
    /// The kernel's number for it.
    public let id: UInt32
    /// The kernel's digest of its instructions, map references left out.
    let tag: UInt64
    /// Instructions the verifier went through.
    public let verifiedInstructions: Int
    let descriptor: OwnedDescriptor

    /// Wraps a loaded program.
    init(_ descriptor: consuming OwnedDescriptor, name: String) throws(BPFError) {
        let info = try Libbpf.programInfo(descriptor.rawValue, name)
        self.descriptor = descriptor
        self.name = name
        self.id = info.id
        self.tag = withUnsafeBytes(of: info.tag) { $0.loadUnaligned(as: UInt64.self) }
        self.verifiedInstructions = Int(info.verified_insns)
    }

    /// The descriptor's number.
    var fd: Int32 { descriptor.rawValue }

    /// Ids of the maps it uses.
    func mapIDs() throws(BPFError) -> [UInt32] { try Libbpf.mapIDs(ofProgram: fd, name) }
}
