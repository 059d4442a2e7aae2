import Foundation
import PolicyAPI
import Testing

@Suite("Exit codes and mends of wrong input")
struct ExitCodeTests {
    private static let pods = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop, labels: {app: web}}
        spec: {nodeName: node-1, containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
        status: {podIP: 10.0.0.1}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: front, namespace: shop}
        spec: {selector: {app: web}}
        """

    struct Case: Sendable, CustomStringConvertible {
        var arguments: [String]
        var says: String
        var description: String { arguments.joined(separator: " ") }
    }

    static let wrong = [
        Case(arguments: ["compile"], says: "error: name the manifests: netpold compile PATH"),
        Case(
            arguments: ["explain", "a/b", "c/d", "80/TCP"], says: "error: name the manifests: netpold explain -f PATH"),
        Case(arguments: ["complie"], says: "error: Unexpected argument 'complie'; did you mean netpold compile?"),
        Case(arguments: ["cni", "instal"], says: "did you mean netpold cni install?"),
        Case(arguments: ["compile", "-k", "/nowhere"], says: "/nowhere: error: no such folder"),
        Case(arguments: ["compile", "-f", "/nowhere"], says: "/nowhere: error: no such file or folder"),
        Case(arguments: ["compile", "-f", "-", "--endpoint", "shop/wbe"], says: "did you mean shop/web?"),
        Case(arguments: ["compile", "-f", "-", "--endpoint", "web"], says: "did you mean shop/web?"),
        Case(arguments: ["compile", "-f", "-", "--node", "nope"], says: "error: no object names a node nope"),
        Case(arguments: ["explain", "-f", "-", "shop/wbe", "shop/web", "80/TCP"], says: "did you mean shop/web?"),
        Case(arguments: ["explain", "-f", "-", "10.0.0.1", "shop/web", "80/TCP"], says: "write ip:10.0.0.1"),
        Case(arguments: ["explain", "-f", "-", "host", "shop/web", "80000/TCP"], says: "write 80/TCP"),
        Case(arguments: ["explain", "-f", "-", "web", "shop/web", "80/TCP"], says: "did you mean shop/web?"),
        Case(arguments: ["explain", "-f", "-", "default/web", "host", "80/TCP"], says: "did you mean shop/web?"),
        Case(arguments: ["explain", "-f", "-", "host", "shop/front", "80/TCP"], says: "write svc/shop/front"),
        Case(arguments: ["explain", "-f", "-", "host", "shop/web", "htpt/TCP"], says: "did you mean http/TCP?"),
        Case(arguments: ["explain", "-f", "-", "host", "shop/web", "http/UDP"], says: "no UDP port named http"),
        Case(arguments: ["explain", "-f", "-", "shop/web", "host", "http/TCP"], says: "host is not a pod"),
        Case(arguments: ["explain", "-f", "-", "80/TCP", "host", "shop/web"], says: "Usage: netpold explain"),
        Case(arguments: ["explain", "-f", "-", "shop/web", "80/TCP"], says: "the flow is missing; write it last"),
        Case(
            arguments: ["explain", "-f", "-", "deploy/nope", "shop/web", "80/TCP"], says: "no pod of Deployment nope"),
        Case(
            arguments: ["explain", "-f", "-", "--from-labels", "shpo/a=b", "shop/web", "80/TCP"],
            says: "no object is in a namespace shpo; did you mean shop?"),
        Case(arguments: ["compile", "-", "-o", "wide"], says: "Please provide one of 'table', 'json' or 'yaml'"),
        Case(arguments: ["lint", "-", "--json", "-o", "sarif"], says: "contradict each other"),
        Case(
            arguments: ["explain", "-f", "-", "shop/web", "host", "80/TCP", "--jsno"],
            says: "error: Unknown option '--jsno'. Did you mean '--json'?"),
        Case(arguments: ["lint", "-", "--formt", "json"], says: "'--formt'. Did you mean '--format'?"),
        Case(arguments: ["test"], says: "name the tests: netpold test PATH"),
        Case(arguments: ["lab"], says: "give one of PATH"),
        Case(arguments: ["lab", "prob"], says: "there is no file or folder 'prob'; did you mean netpold lab probe?"),
        Case(arguments: ["lab", "probe", "a/b"], says: "write netpold lab probe FROM TO PORT/PROTOCOL"),
        Case(arguments: ["explain", "-f", "-", "--local-node", "x", "host", "shop/web", "80/TCP"], says: "a node x"),
        Case(arguments: ["compile", "-", "-o", "json", "--emit", "asm"], says: "--emit asm is text for people"),
        Case(arguments: ["compile", "-", "-o", "table", "--emit", "json"], says: "contradict each other"),
        Case(arguments: ["lint", "--explain", "syntax", "--json"], says: "--explain prints text"),
        Case(arguments: ["help", "lnt"], says: "error: there is no command 'lnt'; did you mean lint?"),
        Case(
            arguments: ["explain", "-f", "-", "--from-labels", "shop/app=web x", "shop/web", "80/TCP"],
            says: "'web x' is not a label's value"),
        Case(
            arguments: ["explain", "-f", "-", "--from-labels", "shop/app!=web", "shop/web", "80/TCP"],
            says: "'app!' is not a label's key"),
        Case(
            arguments: ["explain", "-f", "-", "host", "shop/web", "53/UDP", "--dns", "a b"], says: "write a DNS name"),
        Case(arguments: ["explain", "-f", "-", "host", "shop/web", "53/UDP", "--dns", ""], says: "write a DNS name"),
        Case(arguments: ["monitor", "--policy", "a/b/c"], says: "--policy a/b/c: write it as namespace/name"),
        Case(arguments: ["explain", "-f", "-", "wrld", "shop/web", "80/TCP"], says: "did you mean world?"),
        Case(arguments: ["explain", "-f", "-", "shop/web", "hst", "80/TCP"], says: "did you mean host?"),
        Case(arguments: ["explain", "-f", "-", "shop/db", "shop/web", "80/TCP"], says: "; pods: shop/web"),
        Case(arguments: ["lab", "-f", "/nowhere"], says: "/nowhere: error: no such file or folder"),
        Case(arguments: ["agent", "--manifests", "/nowhere"], says: "--manifests /nowhere: no such folder"),
        Case(
            arguments: ["agent", "--manifest", "/tmp"], says: "Unknown option '--manifest'. Did you mean '--manifests'?"
        ),
        Case(arguments: ["agent", "--manifests", "/etc/passwd"], says: "--manifests /etc/passwd: this is a file"),
        Case(arguments: ["explain", "-f", "-", "host", "shop/web", "0/TCP"], says: "nothing can be sent to port 0"),
        Case(
            arguments: ["explain", "-f", "-", "host", "ip:::1", "ICMP/8"], says: "one end is IPv4 and the other is IPv6"
        ),
        Case(arguments: ["agent", "--kubeconfig", "/nowhere"], says: "/nowhere: it cannot be read"),
        Case(
            arguments: ["agent", "--kubeconfig", "/nowhere", "--manifests", "/tmp"],
            says: "--manifests and --kubeconfig are two places for the same objects"),
        Case(
            arguments: ["agent", "--manifests", "/tmp", "--context", "dev"],
            says: "--context is about a kubeconfig; give --kubeconfig with it"),
        Case(arguments: ["status", "--instance", "-x"], says: "--instance"),
    ]

    @Test("Bad input exits with 2, names the mistake and prints no result", arguments: wrong)
    func badInput(wrong: Case) throws {
        let run = try BuiltNetpold.run(wrong.arguments, input: Self.pods)
        #expect(run.code == 2, "\(run.errors)")
        #expect(run.errors.contains(wrong.says), "\(run.errors)")
        #expect(run.output.isEmpty)
    }

    @Test(
        "A host policy decides in explain and is compiled with the node's pods; with names it is an error; no lab has it"
    )
    func hostPolicy() throws {
        let policy = { (rules: String) in
            "\n---\napiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\n"
                + "metadata: {name: nodes}\nspec: {nodeSelector: {}, \(rules)}\n"
        }
        let plain = Self.pods + policy("ingress: [{fromEntities: [remote-node]}]")
        let explained = try BuiltNetpold.run(["explain", "-f", "-", "shop/web", "host", "22/TCP"], input: plain)
        #expect(explained.code == 0, "\(explained.errors)")
        #expect(explained.output.contains("ingress of node node-1: deny"))
        let compiled = try BuiltNetpold.run(["compile", "-f", "-"], input: plain)
        #expect(compiled.code == 0, "\(compiled.errors)")
        #expect(compiled.output.contains("host"))
        let lab = try BuiltNetpold.run(["lab", "-f", "-"], input: plain)
        #expect(lab.code == 2, "\(lab.errors)")
        #expect(lab.errors.contains("nodeSelector are not enforced in a lab: CiliumClusterwideNetworkPolicy nodes (-:"))
        #expect(lab.errors.contains("--exclude"))
        for command in [["compile", "-f", "-"], ["lint", "-"]] {
            let run = try BuiltNetpold.run(
                command, input: Self.pods + policy("egress: [{toFQDNs: [{matchName: a.example}]}]"))
            #expect(run.code == 2, "\(command): \(run.errors)")
            #expect((run.errors + run.output).contains("names in a host policy"))
        }
    }

    /// A policy for shop/web with so many lists of names, a pod that has ended and is labelled alike, and one that the policy does not select.
    private static func names(_ count: Int) -> String {
        let rules = (0..<count).map {
            "  - {toFQDNs: [{matchName: n\($0).example}], toPorts: [{ports: [{port: '443'}]}]}"
        }
        return """
            apiVersion: v1
            kind: Pod
            metadata: {name: a-former-web, namespace: shop, labels: {app: web}}
            spec: {nodeName: node-1, containers: [{name: c}]}
            status: {phase: Succeeded}
            ---

            """ + Self.pods + """

                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: db, namespace: shop, labels: {app: db}}
                spec: {nodeName: node-1, containers: [{name: c}]}
                status: {podIP: 10.0.0.2}
                ---
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: names, namespace: shop}
                spec:
                  endpointSelector: {matchLabels: {app: web}}
                  egress:

                """ + rules.map { "  \($0)\n" }.joined()
    }

    @Test(
        "What does not fit into a pod's program is an error of compile, explain and test; other pods are answered for")
    func limits() throws {
        let asked = ["--name", "n32.example=192.0.2.1", "shop/web", "ip:192.0.2.1", "443/TCP"]
        let fits = try BuiltNetpold.run(["explain", "-f", "-"] + asked, input: Self.names(32))
        #expect(fits.code == 0, "\(fits.errors)")
        for command in [["compile", "-f", "-"], ["explain", "-f", "-"] + asked] {
            let run = try BuiltNetpold.run(command, input: Self.names(33))
            #expect(run.code == 2, "\(command): \(run.errors)")
            #expect(run.errors.contains("more than 32 different lists of toFQDNs"), "\(command): \(run.errors)")
        }
        let other = try BuiltNetpold.run(
            ["explain", "-f", "-", "--expect", "allow", "shop/db", "shop/web", "80/TCP"], input: Self.names(33))
        #expect(other.code == 2, "web is asked about too: \(other.errors)")
        let apart = try BuiltNetpold.run(
            ["explain", "-f", "-", "--expect", "allow", "host", "shop/db", "80/TCP"], input: Self.names(33))
        #expect(apart.code == 0, "\(apart.errors)")

        let folder = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let test = """
            apiVersion: netpold.dev/v1alpha1
            kind: PolicyTest
            metadata: {name: names}
            spec:
              manifests: [all.yaml]
              cases: [{from: shop/web, to: 'ip:192.0.2.1', protocol: TCP, port: 443, expect: deny}]
            """
        try test.write(to: folder.appending(path: "test.yaml"), atomically: true, encoding: .utf8)
        for (count, code) in [(32, 0), (33, 2)] as [(Int, Int32)] {
            try Self.names(count).write(to: folder.appending(path: "all.yaml"), atomically: true, encoding: .utf8)
            let run = try BuiltNetpold.run(["test", folder.path()])
            #expect(run.code == code, "\(count): \(run.output) \(run.errors)")
        }
    }

    @Test("A folder with Deployments and no pod is compiled and explained with synthetic pods")
    func workloads() throws {
        let deployment =
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: shop}\n"
            + "spec: {replicas: 2, template: {metadata: {labels: {app: api}}}}\n"
        let explained = try BuiltNetpold.run(
            ["explain", "-f", "-", "shop/api-1", "shop/api-2", "80/TCP"], input: deployment)
        #expect(explained.code == 0, "\(explained.errors)")
        let compiled = try BuiltNetpold.run(["compile", "-f", "-"], input: deployment)
        #expect(compiled.code == 0, "\(compiled.errors)")
        #expect(compiled.output.contains("shop/api-2"))
        #expect(compiled.errors.contains("2 synthetic pods for the workloads"))
    }

    @Test("A port's name is the number that the destination has under it")
    func portName() throws {
        let run = try BuiltNetpold.run(["explain", "-f", "-", "host", "shop/web", "http/TCP"], input: Self.pods)
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output.hasPrefix("ALLOWED host -> shop/web TCP 8080\n"))
    }

    @Test("--version prints a version")
    func version() throws {
        let run = try BuiltNetpold.run(["--version"])
        #expect(run.code == 0)
        #expect(run.output.split(separator: ".").count == 3)
    }

    @Test("Asking an agent that is not there exits with 1", arguments: ["status", "endpoints", "monitor"])
    func noAgent(command: String) throws {
        let run = try BuiltNetpold.run([command, "--instance", "nobody-here"])
        #expect(run.code == 1)
        #expect(run.errors.hasPrefix("error: no agent of instance nobody-here"))
    }

    @Test("A manifest with an error is counted after the result, which is what would be enforced")
    func countedErrors() throws {
        let policy =
            "\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelctor: {}}"
        let run = try BuiltNetpold.run(["compile", "-f", "-"], input: Self.pods + policy)
        #expect(run.code == 2)
        #expect(run.output.contains("shop/web"))
        #expect(run.errors.hasSuffix("error in the manifests, listed above the result\n"), "\(run.errors)")
    }
}
