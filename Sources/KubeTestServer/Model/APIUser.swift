/// Who may ask, and for what.
public struct APIUser: Sendable {
    /// What one rule of a role allows.
    public struct Rule: Sendable {
        /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`; `*` for all.
        public var verbs: Set<String>
        /// `pods`, `ciliumnetworkpolicies.cilium.io`, `ciliumnetworkpolicies.cilium.io/status`; `*` for all.
        public var resources: Set<String>

        /// A rule.
        public init(verbs: Set<String>, resources: Set<String>) {
            self.verbs = verbs
            self.resources = resources
        }
    }

    /// The name that refusals show.
    public var name: String
    /// What is allowed; everything else is refused.
    public var rules: [Rule]
    /// Whether Pods are listed only with a selector of `spec.nodeName`, as the node authorizer wants it.
    public var mustSelectNode: Bool

    /// A user.
    public init(name: String, rules: [Rule], mustSelectNode: Bool = false) {
        self.name = name
        self.rules = rules
        self.mustSelectNode = mustSelectNode
    }

    /// May do everything.
    public static let admin = APIUser(name: "kube-admin", rules: [Rule(verbs: ["*"], resources: ["*"])])
    /// May do nothing but ask for health and discovery.
    public static let nobody = APIUser(name: "nobody", rules: [])
    /// Who sends no credentials.
    static let anonymous = APIUser(name: "system:anonymous", rules: [])

    func may(_ verb: String, _ resource: String) -> Bool {
        rules.contains {
            ($0.verbs.contains("*") || $0.verbs.contains(verb))
                && ($0.resources.contains("*") || $0.resources.contains(resource))
        }
    }
}
