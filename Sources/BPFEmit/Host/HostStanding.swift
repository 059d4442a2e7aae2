/// How it stands with the node's own policies in the kernel.
public struct HostStanding: Hashable, Sendable {
    /// What is in force, and for how long.
    public var confirmation: HostConfirmation
    /// `NodeImage.hostFingerprint` of the policies that are in force or wait; 0: none.
    public var fingerprint: UInt64
    /// The same of those that the node goes back to; 0: none.
    public var formerFingerprint: UInt64

    /// A standing.
    public init(confirmation: HostConfirmation, fingerprint: UInt64, formerFingerprint: UInt64) {
        self.confirmation = confirmation
        self.fingerprint = fingerprint
        self.formerFingerprint = formerFingerprint
    }

    /// The fingerprint of the policies that were confirmed last, to which a change that is not confirmed goes back; `nil`: none were.
    public var confirmed: UInt64? {
        switch confirmation {
        case .settled(.enforce): fingerprint
        case .pending(_, former: .enforce, _), .expired(_, former: .enforce): formerFingerprint
        case .settled, .pending, .expired: nil
        }
    }
}
