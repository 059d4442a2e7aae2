import CNetpoldABI

extension ProgramBuilder {
    /// Goes on with a C program; drops the packet if there is none. r1 holds the context.
    mutating func tailCall(step: np_step) {
        load(.r2, map: .steps)
        move(.r3, imm: Int32(step.rawValue))
        call(.tailCall)
        note(.remark("no such step: drop"))
        exit(returning: TrafficControlAction.shot)
    }
}
