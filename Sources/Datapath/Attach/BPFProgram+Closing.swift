import BPFEmit
import NetTypes

extension BPFProgram {
    /// What programs that drop everything are called in the kernel.
    static let closingName = "np_closed"

    /// A program for a hook through which nothing may pass: with the instance's steps (np_steps), so that what it drops is counted,
    /// or, before there are any, alone.
    ///
    /// - Throws: when the kernel refuses it.
    static func closing(_ direction: Direction, steps: BPFMap?) throws(BPFError) -> BPFProgram {
        let program: EncodedProgram
        do throws(EmitError) {
            program = try steps == nil ? EntryStub.shut() : EntryStub.closed(direction)
        } catch {
            throw BPFError(.loadProgram, closingName, errno: .invalidArgument, detail: "\(error)")
        }
        return try BPFProgram(program, name: closingName, hitBase: 0, maps: steps.map { [.steps: $0] } ?? [:])
    }
}
