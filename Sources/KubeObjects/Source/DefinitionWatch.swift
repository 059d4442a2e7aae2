import KubeClient

/// Watches which CustomResourceDefinitions there are, their names only, so that a kind that appears is followed at once and
/// not at the next look. Without the right to do so it is found at that look.
struct DefinitionWatch: Sendable {
    private let follower: KindFollower

    /// `followers` by the name of the definition.
    init(_ transport: any KubeTransport, followers: [String: KindFollower], settings: WatchSettings) {
        var settings = settings
        settings.longestDelay = .seconds(300)
        settings.isOptional = true
        settings.streamsLists = false
        follower = KindFollower(
            [
                ResourcePlace(
                    group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions",
                    kind: "CustomResourceDefinition")
            ],
            accept:
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
            settings: settings, transport: transport, sink: Names(followers: followers))
    }

    func run() async { await follower.run() }

    private struct Names: KindSink {
        let followers: [String: KindFollower]

        func take(_ changes: [KindChange]) async -> String? {
            for change in changes {
                switch change {
                case .page(let page, _):
                    for item in page.items {
                        guard let head = try? ObjectHead(scanning: page.bytes[item]) else { continue }
                        followers[head.name]?.appeared()
                    }
                case .events(let lines, _), .initial(let lines, _):
                    for line in lines { followers[line.head.name]?.appeared() }
                case .health(let health):
                    for follower in followers.values { follower.announced(health == .following) }
                case .begin, .replace, .discard, .remove: break
                }
            }
            return nil
        }
    }
}
