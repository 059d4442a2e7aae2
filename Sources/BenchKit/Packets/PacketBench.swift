public import Datapath
import Foundation
import Synchronization

/// Measures what the datapath costs per packet, with `BPF_PROG_TEST_RUN`, beside reference programs in the same rounds.
public final class PacketBench {
    /// Nanoseconds per packet, the least disturbed of all rounds.
    public struct Cost: Hashable, Sendable {
        /// One sender.
        public var hot: Int
        /// Many senders; includes rewriting the frame, which `PacketBenchReport.empty` shows alone.
        public var spread: Int

        /// This over another, hot and spread.
        func ratio(to other: Cost) -> (hot: Double, spread: Double) {
            (Double(hot) / Double(max(other.hot, 1)), Double(spread) / Double(max(other.spread, 1)))
        }

        mutating func lower(to other: Cost) {
            hot = min(hot, other.hot)
            spread = min(spread, other.spread)
        }
    }

    private let rig: PacketBenchRig
    private let rounds: Int
    private let repetitions: Int

    /// A bench on an instance of the datapath of its own.
    ///
    /// - Parameters:
    ///   - rounds: how often everything is measured; the lowest counts.
    ///   - repetitions: packets of one measurement.
    /// - Throws: when programs cannot be loaded.
    public init(rounds: Int, repetitions: Int) throws(BPFError) {
        self.rounds = rounds
        self.repetitions = repetitions
        rig = try PacketBenchRig()
    }

    /// Measures every case in every round. `progress` is called with a description of each measurement before it starts.
    public func run(_ cases: [PacketBenchCase], progress: (String) -> Void) throws(BPFError) -> PacketBenchReport {
        var report = PacketBenchReport()
        for round in 1...rounds {
            for one in cases {
                progress("round \(round) of \(rounds): \(one)")
                try rig.prepare(rules: one.rules, identities: one.identities)
                let reader = one.hasReader ? BenchReader(rig.maps) : nil
                defer { reader?.stop() }
                // A reference beside every established case, on the same flows in the same memory.
                var lookup: Cost?
                if one.kind == .established {
                    try rig.establish()
                    for name in PacketBenchReport.references {
                        let cost = try both { spread throws(BPFError) in
                            try rig.measure(reference: name, spread, repetitions: repetitions)
                        }
                        report.references[name, default: cost].lower(to: cost)
                        lookup = cost
                    }
                }
                let cost = try both { spread throws(BPFError) in
                    try rig.measure(one.kind, spread, repetitions: repetitions)
                }
                report.costs[one, default: cost].lower(to: cost)
                if let lookup { report.established[one, default: []].append(cost.ratio(to: lookup)) }
            }
        }
        return report
    }

    private func both(
        _ measure: (PacketBenchCase.Spread) throws(BPFError) -> Int
    ) throws(BPFError) -> Cost {
        Cost(hot: try measure(.hot), spread: try measure(.spread))
    }
}

/// Reads verdict events on a thread of its own until it is stopped.
private final class BenchReader: Sendable {
    private let isStopped = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)

    init(_ maps: DatapathMaps) {
        // The maps are only descriptors here, and outlive the thread: stop() waits for it.
        nonisolated(unsafe) let maps = maps
        let started = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [self] in
            let reader = try? RingBufferReader(maps, .verdicts)
            started.signal()
            while let reader, !isStopped.load(ordering: .relaxed) { _ = try? reader.read() }
            ended.signal()
        }
        started.wait()
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        ended.wait()
    }
}
