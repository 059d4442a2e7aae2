import CNetpoldABI

extension ProgramBuilder {
    /// Goes on with a C program; drops the packet if there is none.
    ///
    /// - Parameter context: Where the context is; `nil` when r1 still holds it.
    mutating func tailCall(step: np_step, context: Register?) {
        if let context { move(.r1, context) }
        load(.r2, map: .steps)
        move(.r3, imm: Int32(step.rawValue))
        call(.tailCall)
        note(.remark("no such step: drop"))
        exit(returning: TrafficControlAction.shot)
    }
}
