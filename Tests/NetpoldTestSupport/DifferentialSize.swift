import Foundation

/// How much a run compares, by the environment: `make soak` asks for more than `make test`.
public enum DifferentialSize {
    /// `NETPOLD_DIFF_FLOWS`, or what a test does otherwise.
    public static func flows(otherwise: Int) -> Int { number("NETPOLD_DIFF_FLOWS") ?? otherwise }
    /// Random flows of one random cluster: `NETPOLD_DIFF_PER_CLUSTER`, 200 otherwise. Compiling and loading a cluster costs as
    /// much as some thousand decisions.
    public static let flowsPerCluster = number("NETPOLD_DIFF_PER_CLUSTER") ?? 200
    /// The first seed: `NETPOLD_DIFF_SEED`, 1 otherwise.
    public static let seed = UInt64(number("NETPOLD_DIFF_SEED") ?? 1)

    private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }
}
