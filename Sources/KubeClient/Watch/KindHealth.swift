/// How it stands with following one kind of objects.
public enum KindHealth: Hashable, Sendable {
    /// Nothing has been read yet, and nothing has failed.
    case starting
    /// All objects are known, and their changes come.
    case following
    /// The API server does not have the kind: its CustomResourceDefinition is not installed.
    case absent
    /// Objects cannot be read at the moment. What was read before stays as it was.
    case failing(Problem)

    /// Why objects cannot be read.
    public struct Problem: Hashable, Sendable {
        /// What kind of reason.
        public enum Reason: Hashable, Sendable {
            /// No connection, or none that lasts; or no answer in time.
            case unreachable
            /// The API server does not know who is asking (401), or there are no credentials to show.
            case unauthenticated
            /// The API server does not let these credentials read the kind (403).
            case forbidden
            /// The API server has too much to do, or is starting (429, 503).
            case busy
            /// Any other refusal.
            case refused
            /// The answer makes no sense.
            case garbled
        }

        /// The kind of reason.
        public var reason: Reason
        /// The reason in a sentence.
        public var message: String

        /// A problem.
        public init(_ reason: Reason, _ message: String) {
            self.reason = reason
            self.message = message
        }
    }
}
