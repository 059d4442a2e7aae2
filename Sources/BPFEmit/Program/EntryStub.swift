import CNetpoldABI
public import NetTypes

/// The program attached to a hook of one endpoint. It tells the shared C programs which endpoint and direction they work for:
/// that costs one store and no lookup.
public enum EntryStub {
    /// The stub of a hook.
    ///
    /// - Parameters:
    ///   - slot: Index in np_endpoints, below `NP_MAX_ENDPOINTS`.
    ///   - direction: `ingress` for to_pod, `egress` for from_pod.
    /// - Throws: `EmitError.endpointSlot` for a slot that no endpoint can have.
    public static func program(slot: UInt32, direction: Direction) throws(EmitError) -> EncodedProgram {
        guard slot < UInt32(NP_MAX_ENDPOINTS) else { throw .endpointSlot(slot, limit: Int(NP_MAX_ENDPOINTS)) }
        let step = direction == .ingress ? NP_STEP_TO_POD : NP_STEP_FROM_POD
        var b = ProgramBuilder()
        b.note(.remark("endpoint \(slot), \(direction)"))
        b.move(.r2, constant: UInt64(ControlBlock.packEndpoint(slot: slot, direction)))
        b.store(.word, .r1, ControlBlock.endpoint, .r2)
        b.move(.r2, imm: 0)
        b.store(.word, .r1, ControlBlock.verdict, .r2)
        b.store(.word, .r1, ControlBlock.base, .r2)
        b.tailCall(step: step, context: nil)
        do { return try b.assemble() } catch { throw .assembly(error) }
    }
}

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
