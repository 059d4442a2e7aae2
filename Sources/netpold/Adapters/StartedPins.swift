import Datapath

/// What a start pins goes again when the start fails, unless an earlier agent's pins were there: those enforce. What is at pods' hooks stays:
/// `netpold cni` closes pods that are made meanwhile, and they are to stay so.
struct StartedPins {
    private let pins: PinPath
    private let wasEmpty: Bool

    /// To be made before anything is pinned.
    init(_ pins: PinPath) {
        self.pins = pins
        // What cannot be listed may be somebody's: it is left alone.
        wasEmpty = (try? pins.pinned().isEmpty) ?? false
    }

    /// The start failed before anything was enforced: nothing is pinned any more that was not before.
    func undo() throws {
        if wasEmpty { try pins.removeAllButHooks() }
    }
}
