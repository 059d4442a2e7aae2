/// Which verdicts a monitor wants.
public struct MonitorFilter: Hashable, Codable, Sendable {
    /// Only drops.
    public var dropsOnly: Bool
    /// Only flows of this pod, `namespace/name`.
    public var pod: String?
    /// Only verdicts that this policy decided or, for a default deny, took part in: `name` or `namespace/name`.
    public var policy: String?

    /// A filter.
    public init(dropsOnly: Bool = false, pod: String? = nil, policy: String? = nil) {
        self.dropsOnly = dropsOnly
        self.pod = pod
        self.policy = policy
    }

    private enum CodingKeys: String, CodingKey {
        case dropsOnly = "dropsOnly"
        case pod = "pod"
        case policy = "policy"
    }

    /// Reads a filter; every field may be missing.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        dropsOnly = try fields.decodeIfPresent(Bool.self, forKey: .dropsOnly) ?? false
        pod = try fields.decodeIfPresent(String.self, forKey: .pod)
        policy = try fields.decodeIfPresent(String.self, forKey: .policy)
    }

    /// Whether `wanted` names an object written as `Kind namespace/name` or `Kind name`.
    static func names(_ wanted: String, _ object: String) -> Bool {
        let name = object.split(separator: " ").last.map(String.init) ?? object
        return name == wanted || name.split(separator: "/").last.map(String.init) == wanted
    }
}
