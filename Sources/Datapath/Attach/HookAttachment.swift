import BPFEmit

/// A program at a hook, by whatever means.
protocol HookAttachment: AnyObject {
    /// How.
    var style: AttachmentStyle { get }
    /// Puts another program in its place. A packet meets the old one or the new one.
    func replace(with program: BPFProgram) throws(BPFError)
    /// The kernel's number of the program; `nil` when the interface is gone, or somebody took the program off.
    func programID() throws(BPFError) -> UInt32?
    /// Takes it off. An interface that is gone is fine.
    func detach() throws(BPFError)
}

extension HookAttachment {
    /// Whether a program that does the same as this one is attached.
    func runs(_ program: BPFProgram) throws(BPFError) -> Bool {
        guard let id = try programID() else { return false }
        return try program.isEquivalent(toProgram: id)
    }
}

extension BPFProgram {
    /// Whether the loaded program with this id is the same code on the same maps.
    func isEquivalent(toProgram id: UInt32) throws(BPFError) -> Bool {
        let other = try BPFProgram(try Libbpf.program(id: id), name: "program \(id)")
        guard other.tag == tag else { return false }
        return try other.mapIDs().sorted() == mapIDs().sorted()
    }
}
