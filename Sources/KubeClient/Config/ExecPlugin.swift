/// A program that prints credentials (client.authentication.k8s.io).
public struct ExecPlugin: Hashable, Sendable {
    /// `client.authentication.k8s.io/v1` or `v1beta1`.
    public var apiVersion: String
    /// The program: a path, or a name that is looked for in PATH.
    public var command: String
    /// Its arguments.
    public var arguments: [String]
    /// Variables besides the agent's own.
    public var environment: [String: String]
    /// What to do when it is not there.
    public var installHint: String
    /// For messages: where it is named.
    public var origin: String
    /// For `provideClusterInfo`: what is told of the cluster; `nil` to tell nothing.
    public var cluster: ClusterInfo?

    /// What the program is told of the cluster.
    public struct ClusterInfo: Hashable, Sendable {
        /// The URL as written.
        public var server: String
        /// `tls-server-name`.
        public var serverName: String?
        /// The authorities, PEM, base64.
        public var authorities: String?
        /// The proxy's URL.
        public var proxy: String?
    }

    /// The versions that are spoken.
    static let versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]
}
