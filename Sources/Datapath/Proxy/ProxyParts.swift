import CNetpoldABI

/// What the loaded object has for the L7 proxy.
struct ProxyParts {
    /// np_proxied.
    let proxied: BPFMap
    /// np_proxy.
    let way: BPFMap
    /// np_listeners.
    let listeners: BPFMap
    /// np_from_proxy, for the node's end of the pair.
    let fromProxy: BPFProgram
    /// np_to_listener, for the proxy's namespace.
    let toListener: BPFProgram
    /// np_dns_lesson, for the proxy to run.
    let lesson: BPFProgram
    /// Its runs; `nil` for an object whose lessons cannot be seen.
    let lessons: LessonsUnderWay?

    /// - Returns: `nil` for an object without: that of an earlier version.
    init?(_ object: BPFObject, _ maps: [BPFMap]) throws(BPFError) {
        func map(_ name: String) -> BPFMap? { maps.first { $0.name == name } }
        guard let proxied = map("np_proxied"), let way = map("np_proxy"), let listeners = map("np_listeners") else {
            return nil
        }
        self.proxied = proxied
        self.way = way
        self.listeners = listeners
        fromProxy = try object.program("np_from_proxy")
        toListener = try object.program("np_to_listener")
        lesson = try object.program("np_dns_lesson")
        lessons = map("np_lesson_scratch").map { LessonsUnderWay($0) }
    }
}
