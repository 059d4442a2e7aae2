import CNetpoldABI

/// The word that says who a slot of np_flow_sets belongs to: state, tag and version. docs/design/flow-table.md has the protocol.
struct ControlWord: RawRepresentable, Hashable, Sendable {
    /// `np_flow_set.control`.
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    private init(state: Int32, tag: UInt32, version: UInt32) {
        rawValue = UInt64(version) << UInt64(NP_SLOT_VERSION_SHIFT) | UInt64(tag) | UInt64(state)
    }

    /// Nobody's.
    static func free(version: UInt32) -> Self { Self(state: NP_SLOT_FREE, tag: 0, version: version) }
    /// Being written by one writer, who alone may change it.
    static func busy(version: UInt32) -> Self { Self(state: NP_SLOT_BUSY, tag: 0, version: version) }
    /// Holds a flow whose hash has this tag.
    static func live(version: UInt32, tag: UInt32) -> Self { Self(state: NP_SLOT_LIVE, tag: tag, version: version) }

    private var state: UInt64 { rawValue & UInt64(NP_SLOT_STATE_MASK) }
    var isFree: Bool { state == UInt64(NP_SLOT_FREE) }
    var isBusy: Bool { state == UInt64(NP_SLOT_BUSY) }
    var isLive: Bool { state == UInt64(NP_SLOT_LIVE) }

    /// The tag of a live slot, its lowest two bits 0.
    var tag: UInt32 { UInt32(truncatingIfNeeded: rawValue) & UInt32(NP_SLOT_TAG_MASK) }
    /// Counted up whenever the slot changes hands, so that two flows in it never have the same word.
    var version: UInt32 { UInt32(truncatingIfNeeded: rawValue >> UInt64(NP_SLOT_VERSION_SHIFT)) }

    /// What the slot is given up as.
    var given: Self { .free(version: version &+ 1) }
}
