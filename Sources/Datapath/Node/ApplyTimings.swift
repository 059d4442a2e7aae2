/// How long the parts of an apply took. New verdicts hold for every packet when `revisions` is over.
public struct ApplyTimings: Hashable, Sendable {
    /// Working out what to do.
    public var plan = Duration.zero
    /// Loading programs that changed, past the verifier.
    public var load = Duration.zero
    /// Writing peers, programs and addresses, and taking hooks off interfaces that are gone.
    public var swap = Duration.zero
    /// Waiting for programs that were running.
    public var grace = Duration.zero
    /// Raising the revisions.
    public var revisions = Duration.zero
    /// Attaching, and taking away what nothing uses any more.
    public var finish = Duration.zero

    /// Nothing done.
    public init() {}

    /// From the start of the apply until the new state is in force.
    public var untilInForce: Duration { plan + load + swap + grace + revisions }
}
