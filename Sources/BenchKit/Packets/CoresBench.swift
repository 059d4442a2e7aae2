public import Datapath

/// Measures what packets cost a CPU while another one handles packets of the same pod: whether they share a cache line that is
/// written.
///
/// The parser alone, on the same CPUs in the same rounds, is the reference: it writes nothing that is shared, so what it is slower by beside
/// itself is the machine's (two CPUs may be one core).
public final class CoresBench {
    private let rig: PacketBenchRig
    private let rounds: Int
    private let repetitions: Int
    private static let cpus = [0, 1]

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

    /// What is measured: with state and without, flows that both CPUs see, and flows that each opens.
    public static let cases: [PacketBenchCase] = PacketBenchCase.all.filter { one in
        switch (one.packets, one.spread) {
        case (.established, _), (.deniedSYN, .one), (.new, .ports): true
        default: false
        }
    }

    /// Measures every case in every round. `progress` is called with a description of each measurement before it starts.
    ///
    /// - Throws: when the machine has one CPU, or a program cannot be run.
    public func run(progress: (String) -> Void) throws(BPFError) -> CoresBenchReport {
        var samples = Self.cases.map { _ in [CoresBenchReport.Sample]() }
        for round in 1...rounds {
            for (number, one) in Self.cases.enumerated() {
                progress("round \(round) of \(rounds): \(one)")
                samples[number].append(try rig.measure(one, on: Self.cpus, repetitions: repetitions))
            }
        }
        return CoresBenchReport(
            results: zip(Self.cases, samples).map { CoresBenchReport.Result(bench: $0, samples: $1) })
    }
}
