public import NIOCore

/// How a server behaves; what is not said is as recorded.
public struct ServerSettings: Sendable {
    /// The resources that are served from the start.
    public var resources = APIResource.builtIns + APIResource.policyCRDs
    /// Bearer tokens, and who sends them.
    public var tokens: [String: APIUser] = ["admin-token": .admin, "nobody-token": .nobody]
    /// Users of client certificates by common name.
    public var certificates: [String: APIUser] = [
        "kube-admin": .admin,
        "system:node:node-a": APIUser(
            name: "system:node:node-a",
            rules: [APIUser.Rule(verbs: ["get", "list", "watch"], resources: ["pods", "nodes", "services"])],
            mustSelectNode: true),
    ]
    /// The resourceVersion before the first object.
    public var firstVersion = 100
    /// How many changes of one resource watches can be given.
    public var historyLimit = 1_000
    /// How often a quiet watch gets a bookmark.
    public var bookmarkInterval = TimeAmount.seconds(60)
    /// How long a watch without timeoutSeconds lasts.
    public var watchTimeout = TimeAmount.minutes(45)
    /// How long a request waits for a version of the future.
    public var freshnessWait = TimeAmount.seconds(3)
    /// How long watches live on after the schema of their CRD has changed or the CRD is gone.
    public var schemaDelay = TimeAmount.seconds(1)
    /// How long a CRD that was made or changed answers 429.
    public var initializingTime = TimeAmount.milliseconds(30)
    /// The protocols that are offered, the preferred one first.
    public var protocols = ["h2", "http/1.1"]
    /// The port; 0 for any.
    public var port = 0

    /// As recorded.
    public init() {}
}
