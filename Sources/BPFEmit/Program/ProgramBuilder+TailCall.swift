import CNetpoldABI

extension ProgramBuilder {
    /// Goes on with a C program; drops the packet if there is none. `context` holds the context; `nil` when r1 still
    /// does.
    mutating func tailCall(step: np_step, context: Register?) {
        if let context { move(.r1, context) }
        load(.r2, map: .steps)
        move(.r3, imm: Int32(step.rawValue))
        call(.tailCall)
        note(.remark("no such step: drop"))
        exit(returning: TrafficControlAction.shot)
    }
}
