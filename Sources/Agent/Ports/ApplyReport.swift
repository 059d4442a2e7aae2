/// What bringing the kernel to an image did.
public struct ApplyReport: Hashable, Sendable {
    /// One pod after an apply.
    public struct Endpoint: Hashable, Sendable {
        /// `namespace/name`.
        public var pod: String
        /// Slot in np_endpoints.
        public var slot: UInt32
        /// `np_endpoint.revision`.
        public var revision: UInt32
        /// How its hooks are attached, for example `tcx` or `clsact`.
        public var attachment: String
        /// Why it could not be programmed, `nil` when it was.
        public var failure: String?

        /// A pod's part of the report.
        public init(pod: String, slot: UInt32, revision: UInt32, attachment: String, failure: String? = nil) {
            self.pod = pod
            self.slot = slot
            self.revision = revision
            self.attachment = attachment
            self.failure = failure
        }
    }

    /// The pods, sorted by name.
    public var endpoints: [Endpoint]
    /// Policy programs loaded by this apply.
    public var programsLoaded: Int
    /// Map entries written or removed by this apply.
    public var entriesChanged: Int

    /// A report.
    public init(endpoints: [Endpoint], programsLoaded: Int, entriesChanged: Int) {
        self.endpoints = endpoints
        self.programsLoaded = programsLoaded
        self.entriesChanged = entriesChanged
    }

    /// Whether the kernel was not in the desired state before.
    public var changedAnything: Bool { programsLoaded > 0 || entriesChanged > 0 }
}
