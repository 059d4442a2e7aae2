/// What the agent answers.
public enum APIReply: Hashable, Codable, Sendable {
    /// The agent's state.
    case status(StatusReport)
    /// The pods, sorted by name.
    case endpoints([EndpointReport])
    /// One verdict.
    case verdict(FlowVerdict)
    /// This many verdicts were not sent since the last line: the client read too slowly, or the kernel wrote no record.
    case lost(UInt64)
    /// Everything read is in force (or not, after the time-out).
    case settled(isSettled: Bool, revision: UInt64)
    /// The request was not understood or cannot be served.
    case error(String)
}
