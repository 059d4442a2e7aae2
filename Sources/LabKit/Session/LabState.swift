/// What a lab's folder says about it, for whoever comes later: `--shell`, `--down`, the next run after a crash.
struct LabState: Codable {
    /// A port that a responder serves.
    struct Served: Codable, Hashable {
        /// Attachment name of the pod, or `@node`, `@node-2`, `@outside`.
        var place: String
        /// What it answers with.
        var name: String
        var address: String
        var isTCP: Bool
        var port: UInt16
        /// Over TCP: whether the client speaks first.
        var waits: Bool?
    }

    /// The process that builds and probes it.
    var pid: Int32
    /// Whether it was to stay when that process ended.
    var isKept = false
    /// The agents' processes, if any run for it.
    var agents: [Int32] = []
    /// The process that answers in a kept lab.
    var responders: Int32?
    /// The manifests.
    var manifests: [String]
    /// The pods.
    var pods: [LabPod]
    /// The nodes.
    var nodes: [LabNode]
    /// What is served.
    var served: [Served]
    /// What DNS queries are answered with.
    var names: [String: [String]]?
    /// Services with cluster IPs.
    var services: [LabHosts.Entry]?
    /// What the lab was built from, to read it again.
    var choice: LabChoice?
}
