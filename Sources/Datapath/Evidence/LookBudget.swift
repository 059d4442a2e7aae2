import Support

/// What may be read inside the namespaces of one pod, or of one namespace that is no pod's, at one look at the host. Whoever
/// rules in them decides how much there is to read, and how often it changes.
struct LookAllowance: Hashable {
    /// Interfaces.
    var links: Int
    /// Addresses of all interfaces together.
    var addresses: Int
    /// Time.
    var time: Duration

    /// More than anybody needs who does not want to be read.
    static let ofPod = LookAllowance(links: 1024, addresses: 4096, time: .milliseconds(500))

    /// How often a list is read that changes meanwhile.
    static let attempts = 4
}

/// What one look at the host may cost inside other namespaces. A pod that is not done with what it may cost is not looked into
/// further, and takes nobody else's share; only all of them together can come to the end of the time.
struct LookBudget {
    /// When no namespace is entered any more.
    let end: ContinuousClock.Instant
    private var left: [String: LookAllowance] = [:]

    /// A budget that ends at `end`.
    init(end: ContinuousClock.Instant) { self.end = end }

    /// What is left for a namespace.
    subscript(candidate: NamespaceCandidates.Candidate) -> LookAllowance {
        get { left[LookBudget.payer(candidate)] ?? .ofPod }
        set { left[LookBudget.payer(candidate)] = newValue }
    }

    /// Whose share it is: the pod's, for it may make as many namespaces as it likes.
    private static func payer(_ candidate: NamespaceCandidates.Candidate) -> String {
        candidate.podUIDs.min() ?? "namespace \(candidate.inode)"
    }
}
