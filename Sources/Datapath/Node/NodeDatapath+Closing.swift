import BPFEmit
import NetTypes

extension NodeDatapath {
    /// Closes interfaces that have no program of the instance: a pod that has come with a state that cannot be applied would be open until
    /// one can. Those that are enforced go on as they are. The next apply puts its programs in the place of what closes.
    ///
    /// - Parameter interfaces: by number; one that is gone is fine.
    /// - Throws: for the first that cannot be closed; the others are closed all the same.
    public func close(_ interfaces: Set<UInt32>) throws(BPFError) {
        guard attachments.style != .none else { return }
        var programs: [Direction: BPFProgram] = [:]
        var failure: BPFError?
        for hook in interfaces.sorted().flatMap(Hook.both(of:)) where hook.ifindex != 0 {
            do {
                guard try attachments.programID(at: hook) == nil else { continue }
                let program: BPFProgram
                if let made = programs[hook.direction] {
                    program = made
                } else {
                    program = try BPFProgram.closing(hook.direction, steps: maps.steps)
                    programs[hook.direction] = program
                }
                _ = try attachments.attach(program, at: hook)
            } catch {
                if try NodeDatapath.interfaces().contains(hook.ifindex) { failure = failure ?? error }
            }
        }
        if let failure { throw failure }
    }
}
