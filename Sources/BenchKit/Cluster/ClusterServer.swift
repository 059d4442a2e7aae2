import Glibc
import KubeTestServer
import Support
import SystemPackage

/// The API server of `ClusterBench`, in a process of its own: its memory and its CPU time are not the agent's.
///
/// It writes a kubeconfig to a file and says so, then does what each line of its input asks for and answers with the time at which it
/// began to: CLOCK_MONOTONIC, nanoseconds.
public enum ClusterServer {
    /// What the bench asks for.
    enum Request {
        /// Another port for one of a namespace's policies.
        case policy(number: Int, namespace: Int, port: Int)
        /// Another port for the policy that selects every pod.
        case everywhere(port: Int)
        /// A pod of another node.
        case pod(number: Int, isNew: Bool)

        /// As a line.
        var text: String {
            switch self {
            case .policy(let number, let namespace, let port): "policy \(number) \(namespace) \(port)"
            case .everywhere(let port): "everywhere \(port)"
            case .pod(let number, let isNew): "pod \(number) \(isNew ? 1 : 0)"
            }
        }

        /// `nil` for any other line.
        init?(parsing line: String) {
            let words = line.split(separator: " ")
            let numbers = words.dropFirst().compactMap { Int($0) }
            switch (words.first, numbers.count) {
            case ("policy", 3): self = .policy(number: numbers[0], namespace: numbers[1], port: numbers[2])
            case ("everywhere", 1): self = .everywhere(port: numbers[0])
            case ("pod", 2): self = .pod(number: numbers[0], isNew: numbers[1] == 1)
            default: return nil
            }
        }
    }

    /// What is printed when the server answers.
    static let ready = "ready"

    /// Serves until its input ends.
    ///
    /// - Throws: when the server cannot be started, or the kubeconfig not be written.
    public static func run(kubeconfig path: String, podsPerNamespace: Int) async throws {
        let server = try await TestAPIServer.start()
        let cluster = try ServedCluster(server, podsPerNamespace: podsPerNamespace)
        try write(server.kubeconfig(), to: path)
        say(ready)
        let input = BlockingThread(name: "bench-input")
        while let line = await input.run({ readLine() }), let request = Request(parsing: line) {
            let begin = MonotonicClock.nanoseconds
            switch request {
            case .policy(let number, let namespace, let port): cluster.edit(number, in: namespace, port: port)
            case .everywhere(let port): try cluster.editEverywhere(port: port)
            case .pod(let number, let isNew): cluster.addPod(number, isNew: isNew)
            }
            say("\(begin)")
        }
        await server.stop()
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private static func write(_ text: String, to path: String) throws {
        let file = try FileDescriptor.open(
            FilePath(path), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
    }
}
