/// What bringing the kernel to an image did.
public struct ApplyReport: Hashable, Sendable {
    /// One pod of the image.
    public struct Endpoint: Hashable, Sendable {
        /// The pod.
        public var key: EndpointKey
        /// Its slot in np_endpoints.
        public var slot: UInt32
        /// `np_endpoint.revision`.
        public var revision: UInt32
        /// How its hooks are attached.
        public var attachment: AttachmentStyle
        /// Why its hooks could not be attached, or the kernel refused its program, in words; `nil` when all is well.
        public var failure: String?

        /// A pod's part of the report.
        public init(
            key: EndpointKey, slot: UInt32, revision: UInt32, attachment: AttachmentStyle, failure: String? = nil
        ) {
            self.key = key
            self.slot = slot
            self.revision = revision
            self.attachment = attachment
            self.failure = failure
        }
    }

    /// The pods that have an interface, sorted by key.
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
    /// Entries of np_name_rules that found no room: what they would allow is denied.
    public var namesLeftOut = 0
    /// Patterns of names that did not fit into the automaton.
    public var patternsLeftOut: [String] = []
    /// Those of them that nothing decides in its place: what they would allow is denied.
    public var patternsDenied: [String] = []
    /// Addresses, ports and protocols of Services that did not fit into the maps: they are left to whoever else translates.
    public var servicesLeftOut: [String] = []

    /// Why servers of connections that the proxy carries could not be asked again, in words; `nil` when they were: until they are the
    /// proxy denies what these connections ask for.
    public var serversNotAsked: String?

    /// Other versions whose hooks and state were taken over, by the names of their folders; their pins are gone.
    public var takenOver: [String] = []

    /// What became of the node's own policies; `nil`: they are off.
    public var host: HostReport?

    /// Nothing done.
    public init() {}

    /// Whether the kernel was not in the image's state before.
    public var changedAnything: Bool { programsLoaded + entriesChanged + hooksChanged > 0 }
}
