import BPFEmit

/// A program at a hook, by whatever means.
protocol HookAttachment: AnyObject {
    /// How.
    var style: AttachmentStyle { get }
    /// Whether another process attached it.
    var isAdopted: Bool { get }
    /// Puts another program in its place. A packet meets the old one or the new one.
    func replace(with program: BPFProgram) throws(BPFError)
    /// The kernel's number of the program; `nil` when the interface is gone, or somebody took the program off.
    func programID() throws(BPFError) -> UInt32?
    /// Whether the interface it was attached to is still there.
    func isAlive() throws(BPFError) -> Bool
    /// What runs before it at the hook, in words, in order: a verdict of those is final.
    func predecessors() throws(BPFError) -> [String]
    /// Does again what is missing for it to outlive this process; whether something was.
    @discardableResult
    func persist() throws(BPFError) -> Bool
    /// Takes it off. An interface that is gone is fine.
    func detach() throws(BPFError)
    /// Takes it off after another one took its place in the instance's books.
    func retire() throws(BPFError)
}

extension HookAttachment {
    /// Ids of the maps of the program that is there; none when there is none.
    func mapIDs() throws(BPFError) -> [UInt32] {
        guard let id = try programID() else { return [] }
        return try BPFProgram(try Libbpf.program(id: id), name: "program \(id)").mapIDs()
    }

    /// Whether a program that does the same as this one is attached.
    func runs(_ program: BPFProgram) throws(BPFError) -> Bool {
        guard let id = try programID() else { return false }
        // As after nearly every change. The number is given to no other program while this one is held.
        if id == program.id { return true }
        return try program.isEquivalent(toProgram: id)
    }
}

extension BPFProgram {
    /// What to call the program with this id in messages.
    static func label(_ id: UInt32) -> String {
        guard let name = try? kernelName(id) else { return "program \(id)" }
        return name.isEmpty ? "program \(id)" : "program \(id) (\(name))"
    }

    /// The name that the kernel has for the program with this id.
    static func kernelName(_ id: UInt32) throws(BPFError) -> String {
        let program = try Libbpf.program(id: id)
        let info = try Libbpf.programInfo(program.rawValue, "program \(id)")
        return withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Whether the loaded program with this id is the same code on the same maps.
    func isEquivalent(toProgram id: UInt32) throws(BPFError) -> Bool {
        let other = try BPFProgram(try Libbpf.program(id: id), name: "program \(id)")
        guard other.tag == tag else { return false }
        return try other.mapIDs().sorted() == mapIDs().sorted()
    }
}
