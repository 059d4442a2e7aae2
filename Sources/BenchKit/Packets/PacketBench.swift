public import Datapath

/// Measures what the datapath costs per packet, with `BPF_PROG_TEST_RUN`, beside reference programs on the same packets.
public final class PacketBench {
    private let rig: PacketBenchRig
    private let rounds: Int
    private let repetitions: Int

    /// A bench on an instance of the datapath of its own.
    ///
    /// - Parameters:
    ///   - rounds: how often everything is measured.
    ///   - repetitions: packets of one measurement.
    /// - Throws: when programs cannot be loaded.
    public init(rounds: Int, repetitions: Int) throws(BPFError) {
        self.rounds = rounds
        self.repetitions = repetitions
        rig = try PacketBenchRig()
    }

    /// Measures every case in every round, so that what else the machine does in a while meets all of them alike. `progress` is
    /// called with a description of each measurement before it starts.
    ///
    /// - Throws: when a packet does not do what its case says.
    public func run(_ cases: [PacketBenchCase], progress: (String) -> Void) throws(BPFError) -> PacketBenchReport {
        var samples = cases.map { _ in [PacketBenchReport.Sample]() }
        for round in 1...rounds {
            for (number, one) in cases.enumerated() {
                progress("round \(round) of \(rounds): \(one)")
                samples[number].append(try rig.measure(one, repetitions: repetitions))
            }
        }
        return PacketBenchReport(
            results: zip(cases, samples).map { PacketBenchReport.Result(bench: $0, samples: $1) }, skipped: [])
    }
}
