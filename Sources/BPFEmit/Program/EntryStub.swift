import CNetpoldABI
public import NetTypes

/// The program attached to a hook of one endpoint. It writes into cb which endpoint and direction the shared C programs work
/// for: that costs one store and no lookup.
public enum EntryStub {
    /// The stub of a hook.
    ///
    /// - Parameters:
    ///   - slot: Index in np_endpoints, below `NP_MAX_ENDPOINTS`.
    ///   - direction: `ingress` for to_pod, `egress` for from_pod.
    /// - Returns: the assembled program.
    /// - Throws: `EmitError.endpointSlot` for a slot that no endpoint can have.
    public static func program(slot: UInt32, direction: Direction) throws(EmitError) -> EncodedProgram {
        guard slot < UInt32(NP_MAX_ENDPOINTS) else { throw .endpointSlot(slot, limit: Int(NP_MAX_ENDPOINTS)) }
        return try jump(slot: slot, direction)
    }

    /// The program of a hook behind which nobody is: it names a slot that no table has, so everything is dropped as not ready.
    public static func closed(_ direction: Direction) throws(EmitError) -> EncodedProgram {
        try jump(slot: UInt32(NP_CB_SLOT_MASK), direction)
    }

    /// A program that drops everything and needs no map: for hooks of an instance that has none yet.
    public static func shut() throws(EmitError) -> EncodedProgram {
        var b = ProgramBuilder()
        b.exit(returning: TrafficControlAction.shot)
        do { return try b.assemble() } catch { throw .assembly(error) }
    }

    /// The program of an uplink of the node.
    ///
    /// - Parameters:
    ///   - slot: the node's index in np_endpoints.
    ///   - direction: the node's policy that is asked there: `ingress` for what the uplink receives.
    /// - Returns: the assembled program.
    /// - Throws: `EmitError.endpointSlot` for a slot that no endpoint can have.
    public static func uplink(slot: UInt32, direction: Direction) throws(EmitError) -> EncodedProgram {
        guard slot < UInt32(NP_MAX_ENDPOINTS) else { throw .endpointSlot(slot, limit: Int(NP_MAX_ENDPOINTS)) }
        return try jump(slot: slot, direction, to: direction == .ingress ? NP_STEP_HOST_IN : NP_STEP_HOST_OUT)
    }

    private static func jump(slot: UInt32, _ direction: Direction) throws(EmitError) -> EncodedProgram {
        try jump(slot: slot, direction, to: direction == .ingress ? NP_STEP_TO_POD : NP_STEP_FROM_POD)
    }

    private static func jump(slot: UInt32, _ direction: Direction, to step: np_step) throws(EmitError) -> EncodedProgram
    {
        var b = ProgramBuilder()
        b.note(.remark("endpoint \(slot), \(direction)"))
        b.move(.r2, constant: UInt64(ControlBlock.packEndpoint(slot: slot, direction)))
        b.store(.word, .r1, ControlBlock.endpoint, .r2)
        b.move(.r2, imm: 0)
        b.store(.word, .r1, ControlBlock.verdict, .r2)
        b.store(.word, .r1, ControlBlock.base, .r2)
        b.tailCall(step: step)
        do { return try b.assemble() } catch { throw .assembly(error) }
    }
}
