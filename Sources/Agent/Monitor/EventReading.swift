import BPFEmit

/// A reader of events on its way to the thread that reads. Unchecked: handed over once, used by that thread only; what it
/// shares with the datapath are descriptors that do not change.
struct EventReading: @unchecked Sendable {
    let reader: any VerdictReader
}
