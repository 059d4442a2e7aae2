/// What one change cost, from the event to the kernel.
public struct ChangeSample: Sendable {
    /// From the event until the compiler starts: waiting for more events included.
    public var debounce: Duration
    /// Compiling.
    public var compile: Duration
    /// From the end of compiling until the apply starts, and working out what to do.
    public var plan: Duration
    /// Loading the programs that changed.
    public var load: Duration
    /// Writing maps.
    public var swap: Duration
    /// Waiting for programs that were running.
    public var grace: Duration
    /// Raising revisions.
    public var revisions: Duration
    /// From the event until the new state holds for every packet: all of the above.
    public var inForce: Duration
    /// CPU time of the whole process for the change, what comes after `inForce` included.
    public var processorTime: Duration
}
