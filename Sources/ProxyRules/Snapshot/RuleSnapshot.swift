public import NetTypes

/// The HTTP and DNS rules of all policies of a node at one revision, as the agent writes and the proxy reads them. JSON, so that a person
/// can read what the proxy enforces.
public struct RuleSnapshot: Codable, Hashable, Sendable {
    /// The version of this form. Another one is refused: rules must not be read in part.
    public static let currentVersion = 1
    /// The largest file that is read, in bytes.
    public static let largest = 256 << 20

    /// Says what the file is: `netpold-proxy-rules`.
    public var format = "netpold-proxy-rules"
    /// The version of the form.
    public var version = RuleSnapshot.currentVersion
    /// The revision of the policies.
    public var revision: UInt64
    /// The policies with such rules.
    public var policies: [Policy]
    /// The pods of the node, by which the access log names the ends of connections. They decide nothing.
    public var pods: [Pod]

    /// A snapshot.
    public init(revision: UInt64, policies: [Policy], pods: [Pod] = []) {
        self.revision = revision
        self.policies = policies
        self.pods = pods
    }

    /// Reads a snapshot. One that an earlier agent wrote has no `pods`, and names none.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        format = try members.decode(String.self, forKey: .format)
        version = try members.decode(Int.self, forKey: .version)
        revision = try members.decode(UInt64.self, forKey: .revision)
        policies = try members.decode([Policy].self, forKey: .policies)
        pods = try members.decodeIfPresent([Pod].self, forKey: .pods) ?? []
    }

    /// A pod of the node.
    public struct Pod: Codable, Hashable, Sendable {
        /// Its namespace.
        public var namespace: String
        /// Its name.
        public var name: String
        /// What it may send from, as text.
        public var addresses: [String]

        /// A pod.
        public init(namespace: String, name: String, addresses: [String]) {
            self.namespace = namespace
            self.name = name
            self.addresses = addresses
        }
    }

    /// The rules of one subject and direction.
    public struct Policy: Codable, Hashable, Sendable {
        /// The number by which the datapath knows it.
        public var id: UInt32
        /// `ingress` or `egress`.
        public var direction: String
        /// Its rules with HTTP or DNS conditions.
        public var rules: [Rule]
        /// What its columns of names stand for; `nil` where it has none, or no DNS rule.
        public var names: Names?

        /// A policy.
        public init(id: UInt32, direction: Direction, rules: [Rule]) {
            self.id = id
            self.direction = direction == .ingress ? "ingress" : "egress"
            self.rules = rules
        }
    }

    /// Columns of names, by which answers over TCP are learnt.
    public struct Names: Codable, Hashable, Sendable {
        /// The number of their numbering.
        public var numbering: UInt32
        /// Each column.
        public var columns: [Column]

        /// Columns of a numbering.
        public init(numbering: UInt32, columns: [Column]) {
            self.numbering = numbering
            self.columns = columns
        }
    }

    /// A column of names.
    public struct Column: Codable, Hashable, Sendable {
        /// Its number, below 32.
        public var number: UInt32
        /// `matchName` of its selectors, as written.
        public var names: [String]
        /// `matchPattern` of its selectors, as written.
        public var patterns: [String]

        /// A column.
        public init(number: UInt32, names: [String], patterns: [String]) {
            self.number = number
            self.names = names
            self.patterns = patterns
        }
    }

    /// One rule: a bit of the compiled policy.
    public struct Rule: Codable, Hashable, Sendable {
        /// Its number in the policy.
        public var number: UInt32
        /// The elements of its `http` list.
        public var http: [Element]
        /// The elements of its `dns` list.
        public var dns: [DNSElement]

        /// A rule.
        public init(number: UInt32, http: [Element], dns: [DNSElement] = []) {
            self.number = number
            self.http = http
            self.dns = dns
        }

        /// Reads a rule. One that an earlier agent wrote has no `dns`, and allows no query.
        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            number = try members.decode(UInt32.self, forKey: .number)
            http = try members.decode([Element].self, forKey: .http)
            dns = try members.decodeIfPresent([DNSElement].self, forKey: .dns) ?? []
        }
    }

    /// One element of `rules.http`.
    public struct Element: Codable, Hashable, Sendable {
        /// RE2 pattern of the method, empty for any.
        public var method = ""
        /// RE2 pattern of the path with query, empty for any.
        public var path = ""
        /// RE2 pattern of the host, empty for any.
        public var host = ""
        /// `headers`, as written.
        public var headers: [String] = []
        /// `headerMatches`.
        public var headerMatches: [HeaderCheck] = []
        /// Where it is written.
        public var origin: Origin
    }

    /// One element of `rules.dns`: a name or a pattern.
    public struct DNSElement: Codable, Hashable, Sendable {
        /// `matchName`, as written.
        public var matchName: String?
        /// `matchPattern`, as written.
        public var matchPattern: String?
        /// Where it is written.
        public var origin: Origin
    }

    /// One element of `headerMatches`.
    public struct HeaderCheck: Codable, Hashable, Sendable {
        /// The header's name.
        public var name: String
        /// The expected value.
        public var value: String?
        /// `LOG`, `ADD`, `DELETE`, `REPLACE` or empty.
        public var mismatch: String
        /// `namespace/name` of a secret, which is not read.
        public var secret: String?
    }

    /// Where an element is written.
    public struct Origin: Codable, Hashable, Sendable {
        /// The object's kind.
        public var kind: String
        /// The object's namespace.
        public var namespace: String
        /// The object's name.
        public var name: String
        /// The path in the object.
        public var path: String
        /// The file, if it is from one.
        public var file: String?
        /// The line in it.
        public var line: Int?
        /// The column in it.
        public var column: Int?
    }
}
