/// What bringing the kernel to an image did.
public struct NodeApplyReport: Sendable {
    /// One pod of the image.
    public struct Endpoint: Sendable {
        /// The pod.
        public var key: EndpointKey
        /// Its slot in np_endpoints.
        public var slot: UInt32
        /// `np_endpoint.revision`.
        public var revision: UInt32
        /// How its hooks are attached.
        public var attachment: AttachmentStyle
        /// Why its hooks could not be attached; `nil` when they are.
        public var failure: BPFError?
    }

    /// The pods that have an interface, sorted.
    public var endpoints: [Endpoint] = []
    /// Pods of the image for which no interface was given: nothing was done for them.
    public var withoutInterface: [EndpointKey] = []
    /// Policy programs loaded.
    public var programsLoaded = 0
    /// Entries of peers maps, address tables and endpoints written or removed.
    public var entriesChanged = 0
    /// Hooks attached, changed or detached.
    public var hooksChanged = 0
    /// Subjects and directions whose programs have no counters because np_rule_hits is full. Verdicts are the same.
    public var withoutCounters: [String] = []

    /// Whether the kernel was not in the image's state before.
    public var changedAnything: Bool { programsLoaded + entriesChanged + hooksChanged > 0 }
}
