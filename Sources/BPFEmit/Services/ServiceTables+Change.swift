public import PolicyIR

extension ServiceTables {
    /// The writes that lead to other frontends, in their order.
    public struct Change: Hashable, Sendable {
        /// 1. Slots of np_backends, before a table names them.
        public var slots: [Slot] = []
        /// 2. Ranges of np_maglev that nothing reads yet: first entry, and slots.
        public var ranges: [(first: UInt32, slots: [UInt32])] = []
        /// 3. Ends that are to be known before packets go there: how many frontends have it.
        public var ends: [(end: End, count: UInt32)] = []
        /// 4. Frontends that go: before others come, so that both need not have room.
        public var removals: [ServiceFrontend.Key] = []
        /// 5. Frontends, each with one write.
        public var upserts: [(key: ServiceFrontend.Key, entry: Entry)] = []
        /// 6. Slots that are not to be chosen any more; after the frontends.
        public var unusable: [Slot] = []
        /// 7. Ends that nothing can be coming from any more.
        public var goneEnds: [End] = []
        /// Frontends that did not fit, by the reason; whoever else translates has them.
        public var leftOut: [ServiceFrontend.Key] = []

        /// No change.
        public init() {}

        /// Whether nothing is to be written.
        public var isEmpty: Bool { count == 0 }

        /// How many entries are written or removed.
        public var count: Int {
            slots.count + ranges.reduce(0) { $0 + $1.slots.count } + ends.count + upserts.count + removals.count
                + unusable.count + goneEnds.count
        }

        /// Whether both write the same in the same order.
        public static func == (left: Change, right: Change) -> Bool {
            left.slots == right.slots && left.ranges.elementsEqual(right.ranges) { $0 == $1 }
                && left.ends.elementsEqual(right.ends) { $0 == $1 }
                && left.upserts.elementsEqual(right.upserts) { $0 == $1 } && left.removals == right.removals
                && left.unusable == right.unusable && left.goneEnds == right.goneEnds && left.leftOut == right.leftOut
        }

        /// By the number of writes.
        public func hash(into hasher: inout Hasher) { hasher.combine(count) }
    }
}
