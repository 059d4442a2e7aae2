import BPFEmit
import PolicyIR

/// Keeps the node's policies that were confirmed last beside those that are wanted: to them the kernel goes back by itself when a change
/// is not confirmed. They are compiled for as long, so that they see the remote ends of the moment, and written down, so that an agent
/// that starts meanwhile knows them.
public struct FormerHostPolicies {
    /// What is wanted now and what was confirmed last, by fingerprint.
    private var known: [UInt64: [LoweredPolicy]] = [:]
    private var written: HostPolicyRecords?
    private let save: (HostPolicyRecords) throws -> Void
    private let report: (any Error) -> Void

    /// Goes on from what an earlier agent wrote down.
    ///
    /// - Parameters:
    ///   - records: that.
    ///   - save: writes down, before anything is put in force.
    ///   - report: told when that fails. Everything is put in force all the same: only an agent that starts before the confirmation
    ///     does not know then what to go back to.
    public init(
        _ records: HostPolicyRecords?, save: @escaping (HostPolicyRecords) throws -> Void,
        report: @escaping (any Error) -> Void
    ) {
        known = records?.known ?? [:]
        written = records
        self.save = save
        self.report = report
    }

    /// Compiles what the kernel may go back to, as it stands there, beside what a state has.
    mutating func choose(_ standing: HostStanding?, in state: inout CompilerState) {
        let wanted = state.hostFingerprint
        known[wanted] = state.hostPolicies
        let confirmed = standing?.confirmed
        state.setFormerHost(confirmed.flatMap { known[$0] })
        known = known.filter { $0.key == wanted || $0.key == confirmed }
        let records = HostPolicyRecords(known)
        guard records != written else { return }
        do {
            try save(records)
            written = records
        } catch {
            report(error)
        }
    }
}
