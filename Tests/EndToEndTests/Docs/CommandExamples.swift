import Foundation
import Glibc

/// A machine in which the examples of commands mean something: the files that they name, an agent that has those of `manifests/`, a CNI
/// configuration. Its /etc, /opt and /run are written over this machine's and gone afterwards, and it has a network of its own.
final class CommandExamples {
    /// What came of one example.
    struct Result {
        let code: Int32
        let output: String
    }

    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "netpold-examples-\(UUID().uuidString)").path()
        for (name, text) in Self.files {
            let file = URL(filePath: "\(folder)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: false, encoding: .utf8)
        }
        for name in [".zfunc", ".config/fish/completions"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        let examples = DeployTools.repository.appending(path: "examples").path()
        for name in ["examples", "tests"] {
            try FileManager.default.copyItem(atPath: examples, toPath: "\(folder)/\(name)")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The commands of each `console` block of a page.
    static func blocks(of page: String) throws -> [[String]] {
        // Its first line says that it is generated, and so has no steps.
        try page.components(separatedBy: "\n## ").dropFirst().map { section in
            try DocPage(section).steps.compactMap { step in
                if case .command(let text, _, _) = step { text } else { nil }
            }
        }.filter { !$0.isEmpty }
    }

    /// Whether a command goes on until it is ended.
    private static func isService(_ command: String) -> Bool {
        let words = command.split(separator: " ").prefix(3).map(String.init)
        return ["agent", "proxy", "monitor"].contains(words.dropFirst().first) && words.last != "reload"
    }

    /// Whether a command asks no agent: starting one takes seconds. What is wrongly here fails.
    private static func isAlone(_ command: String) -> Bool {
        let words = command.split(separator: " ").map(String.init)
        guard words.first == "netpold", words.count > 1 else { return words.first == "curl" }
        return ["lint", "compile", "test", "lab", "proxy", "cni", "completion", "version"].contains(words[1])
    }

    /// Runs the commands of a block one after the other. A service is given two seconds, serves the examples behind it up to the next
    /// service, and is to end with 0 when it is told to.
    func run(_ commands: [String]) throws -> [Result] {
        let binaries = URL(filePath: BuiltNetpold.path).deletingLastPathComponent().path()
        var script = """
            mkdir -p \(folder)/.layers && mount -t tmpfs layers \(folder)/.layers
            for place in etc opt; do
                mkdir -p \(folder)/.layers/$place/upper \(folder)/.layers/$place/work
                mount -t overlay overlay -o lowerdir=/$place,upperdir=\(folder)/.layers/$place/upper,workdir=\(folder)/.layers/$place/work /$place
            done
            mount -t tmpfs run /run
            mkdir -p /run/netns /etc/netpold /etc/kubernetes /etc/bash_completion.d /etc/cni/net.d /opt/cni/bin
            cp \(folder)/manifests/* /etc/netpold/
            cp \(folder)/admin.conf /etc/kubernetes/
            cp \(folder)/10-net.conflist /etc/cni/net.d/
            ip link set lo up
            cd \(folder)
            export PATH='\(binaries)':'\(DeployTools.folder)':$PATH HOME=\(folder) NO_COLOR=1
            report() { echo "$2" >.code-$1; }
            end() { [ -z "${service:-}" ] || { kill -TERM $service; wait $service; report $number $?; }; service=; }

            """
        if !commands.contains(where: { $0.hasPrefix("netpold agent") }), !commands.allSatisfy(Self.isAlone) {
            script += "netpold agent --manifests manifests --node node-2 >.agent 2>&1 </dev/null & agent=$!\n"
            script += "for try in $(seq 400); do [ ! -S /run/netpold/default.sock ] || break; sleep 0.05; done\n"
            script += "netpold status --wait --timeout 30 >/dev/null 2>&1\n"
        }
        for (number, command) in commands.enumerated() {
            let streams = ">.output-\(number) 2>&1 </dev/null"
            if Self.isService(command) {
                // Ended before it is told to it has the code of that end.
                script += "end\n\(command) \(streams) & service=$!; number=\(number); sleep 2\n"
            } else {
                try command.write(toFile: "\(folder)/.command-\(number)", atomically: false, encoding: .utf8)
                script += "timeout 90 bash .command-\(number) \(streams); report \(number) $?\n"
            }
        }
        script += "end\n[ -z \"${agent:-}\" ] || { kill -TERM $agent; wait $agent; }\nnetpold detach >.detach 2>&1\n"
        try script.write(toFile: "\(folder)/.script", atomically: false, encoding: .utf8)
        let run = try DeployTools.run(
            "/bin/sh",
            [
                // An agent takes no bpffs but the host's.
                "-c",
                """
                mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
                exec unshare --mount --net --propagation slave bash \(folder)/.script
                """,
            ])
        return try commands.indices.map { number in
            let code = try? String(contentsOfFile: "\(folder)/.code-\(number)", encoding: .utf8)
            let output = try String(contentsOfFile: "\(folder)/.output-\(number)", encoding: .utf8)
            try? FileManager.default.removeItem(atPath: "\(folder)/.code-\(number)")
            let end = code.flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            return Result(code: end ?? -1, output: output + (end == nil ? "\(run.output)\(run.errors)" : ""))
        }
    }

    private static let shop = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop}
        ---
        apiVersion: v1
        kind: Node
        metadata: {name: node-2}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop, labels: {app: web}}
        spec: {nodeName: node-1, containers: [{name: c, image: i}]}
        status: {podIP: 10.1.0.1}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: api, namespace: shop, labels: {app: api}}
        spec: {nodeName: node-1, containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}]}
        status: {podIP: 10.1.0.2}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: db, namespace: shop, labels: {app: db}}
        spec: {nodeName: node-1, containers: [{name: c, image: i, ports: [{name: postgres, containerPort: 5432}]}]}
        status: {podIP: 10.1.0.3}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: db, namespace: shop}
        spec:
          clusterIP: 10.96.0.10
          selector: {app: db}
          ports: [{name: postgres, port: 5432, targetPort: postgres}]

        """

    private static let policies = """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: db, namespace: shop}
        spec:
          podSelector: {matchLabels: {app: db}}
          policyTypes: [Ingress]
          ingress:
          - from: [{podSelector: {matchLabels: {app: web}}}]
            ports: [{port: postgres, protocol: TCP}]
        ---
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: web, namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: web}}
          ingress:
          - fromEntities: [cluster]

        """

    private static let requests = """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: api, namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: api}}
          ingress:
          - fromEndpoints: [{matchLabels: {app: web}}]
            toPorts:
            - ports: [{port: "80", protocol: TCP}]
              rules: {http: [{method: GET, path: "/cart.*"}]}

        """

    /// What examples name, by path.
    private static let files = [
        "manifests/shop.yaml": shop, "manifests/policies.yaml": policies, "policies/shop.yaml": shop,
        "policies/requests.yaml": requests, "overlays/production/shop.yaml": shop,
        "overlays/production/policies.yaml": policies,
        "overlays/production/kustomization.yaml": """
        apiVersion: kustomize.config.k8s.io/v1beta1
        kind: Kustomization
        resources: [shop.yaml, policies.yaml]

        """,
        "10-net.conflist": """
        {"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "bridge", "bridge": "cni0", "ipam": {"type": "host-local"}}]}

        """,
        // Nobody serves there: the agent goes on trying.
        "admin.conf": """
        apiVersion: v1
        kind: Config
        current-context: here
        clusters: [{name: here, cluster: {server: "https://127.0.0.1:1"}}]
        contexts: [{name: here, context: {cluster: here, user: nobody}}]
        users: [{name: nobody, user: {token: none}}]

        """,
    ]
}
