import Datapath
import Foundation
import Glibc
import Testing

@Suite(
    "What deploy/ holds",
    .enabled(if: DeployTools.areInstalled, "needs scripts/install-deploy-tools.sh: not run"))
struct DeployTests {
    private static let folders = ["base", "l7", "uninstall"].map { "deploy/kustomize/\($0)" }

    private func newFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "deploy-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test("the chart renders the objects of kustomize, with and without the proxy")
    func oneTruth() throws {
        let base = try DeployTools.kustomize("deploy/kustomize/base")
        let proxied = try DeployTools.kustomize("deploy/kustomize/l7")
        #expect(try DeployTools.chart().differences(from: base) == [])
        #expect(try DeployTools.chart(#"{"l7Proxy": {"enabled": true}}"#).differences(from: proxied) == [])
        #expect(base.objects.count == 4 && !proxied.differences(from: base).isEmpty)
    }

    @Test("objects are what Kubernetes' schemas allow, the oldest supported and the newest known; others are not")
    func schemas() throws {
        let folder = try newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var files: [String] = []
        for (index, path) in Self.folders.enumerated() {
            files.append("\(folder)/\(index).yaml")
            try DeployTools.kustomize(path).text.write(toFile: files[index], atomically: false, encoding: .utf8)
        }
        let wrong = try String(contentsOfFile: files[0], encoding: .utf8).replacing("hostPID:", with: "hostPid:")
        try wrong.write(toFile: "\(folder)/wrong.yaml", atomically: false, encoding: .utf8)
        for version in [["-k", "1.30.0"], []] {
            let run = try DeployTools.run("kubernetes-validate", ["--strict"] + version + files)
            #expect(run.code == 0, "\(run.output)\(run.errors)")
            #expect(
                try DeployTools.run("kubernetes-validate", ["--strict"] + version + ["\(folder)/wrong.yaml"]).code != 0)
        }
    }

    @Test(
        "a value of the chart reaches the objects",
        arguments: [
            (#"{"image": {"repository": "example.com/n", "tag": "7"}}"#, "image: \"example.com/n:7\""),
            (#"{"image": {"pullPolicy": "Always"}}"#, "imagePullPolicy: Always"),
            (#"{"imagePullSecrets": ["pull"]}"#, "imagePullSecrets:\n      - name: pull"),
            (#"{"agent": {"logLevel": "debug"}}"#, "- --log-level=debug"),
            (#"{"agent": {"healthPort": 9999}}"#, "port: 9999"),
            (#"{"agent": {"extraArgs": ["--services=observe"]}}"#, "- \"--services=observe\""),
            (
                #"{"agent": {"apiServer": {"host": "10.0.0.1", "port": 6443}}}"#,
                "name: KUBERNETES_SERVICE_HOST\n          value: \"10.0.0.1\""
            ),
            (#"{"agent": {"resources": {"limits": {"memory": "1Gi"}}}}"#, "memory: 1Gi"),
            (#"{"cni": {"confDir": "/conf"}}"#, "path: \"/conf\""),
            (#"{"cni": {"binDir": "/bin2"}}"#, "path: \"/bin2\""),
            (#"{"cni": {"waitSeconds": 3}}"#, "- --wait-seconds=3"),
            (#"{"cni": {"onTimeout": "start"}}"#, "- --on-timeout=start"),
            (#"{"cni": {"unenforceable": "allow"}}"#, "- --unenforceable=allow"),
            (#"{"l7Proxy": {"enabled": true, "extraArgs": ["--drain=5"]}}"#, "- \"--drain=5\""),
            (#"{"l7Proxy": {"enabled": true, "resources": {"limits": {"cpu": 3}}}}"#, "cpu: 3"),
            (#"{"priorityClassName": "mine"}"#, "priorityClassName: mine"),
            (#"{"nodeSelector": {"policed": "yes"}}"#, "policed: \"yes\""),
            (#"{"tolerations": [{"key": "k", "operator": "Exists"}]}"#, "key: k"),
            (#"{"maxUnavailable": "10%"}"#, "maxUnavailable: 10%"),
        ])
    func values(_ values: String, shown: String) throws {
        let before = try DeployTools.chart()
        let after = try DeployTools.chart(values)
        #expect(after.text.contains(shown), "\(after.text)")
        #expect(!before.text.contains(shown))
        #expect(!after.differences(from: before).isEmpty)
    }

    @Test("no CNI step without cni.install; the namespace is the release's")
    func choices() throws {
        let open = try DeployTools.chart(#"{"cni": {"install": false}}"#)
        #expect(!open.text.contains("--wait-seconds") && !open.text.contains("/opt/cni/bin"))
        let elsewhere = try DeployTools.chart(namespace: "policy").text
        #expect(elsewhere.contains("namespace: policy") && !elsewhere.contains("namespace: kube-system"))
    }

    @Test(
        "a value that there is not, or that cannot be, is refused",
        arguments: [
            #"{"l7proxy": {"enabled": true}}"#, #"{"agent": {"loglevel": "debug"}}"#, #"{"agent": {"healthPort": 0}}"#,
            #"{"cni": {"onTimeout": "open"}}"#, #"{"cni": {"waitSeconds": 601}}"#, #"{"maxUnavailable": "0%"}"#,
            #"{"agent": {"apiServer": {"host": "10.0.0.1"}}}"#, #"{"cni": {"confDir": "net.d"}}"#,
        ])
    func refused(_ values: String) throws {
        #expect(throws: PodNetworkError.self) { try DeployTools.chart(values) }
    }

    @Test("every container is this version's netpold, with arguments that it takes")
    func arguments() throws {
        let version = try BuiltNetpold.run(["--version"]).output.split(separator: "\n").first.map(String.init) ?? ""
        let all =
            try Self.folders.flatMap { try DeployTools.kustomize($0).containers() }
            + DeployTools.chart(#"{"agent": {"extraArgs": ["--services=observe"]}}"#).containers()
        #expect(all.count == 10)
        for container in all where container.name != "done" {
            #expect(container.image == "localhost/netpold:\(version)", "\(container.name)")
            // Not root: whatever has right arguments ends because of that, and nothing is touched.
            let words = container.arguments.map {
                // There is no API server here; that the option is meant for a pod it says at once.
                $0 == "--in-cluster" ? "--manifests=/etc" : $0.replacing("$(NODE_NAME)", with: "node-1")
            }
            let run: DeployTools.Run
            if container.name.hasPrefix("cni") {
                let folder = try newFolder()
                defer { try? FileManager.default.removeItem(atPath: folder) }
                // With --follow it does not end.
                run = try unprivileged(
                    words.filter { $0 != "--follow" } + ["--conf-dir", "\(folder)/none", "--bin-dir", "\(folder)/none"])
            } else {
                run = try unprivileged(words)
            }
            #expect(run.code == 3, "\(words): \(run.errors)")
            #expect(try unprivileged(words + ["--no-such-option"]).code == 2)
        }
    }

    private func unprivileged(_ words: [String]) throws -> DeployTools.Run {
        let prefix = geteuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
        return try DeployTools.run("/usr/bin/env", prefix + [BuiltNetpold.path] + words)
    }

    @Test("containers and systemd units have the capabilities that are documented, and no others")
    func capabilities() throws {
        let agent = Set(Capability.allCases.map { String($0.name.dropFirst(4)) } + ["DAC_READ_SEARCH"])
        let base = try DeployTools.kustomize("deploy/kustomize/base")
        let proxied = try DeployTools.kustomize("deploy/kustomize/l7")
        let uninstall = try DeployTools.kustomize("deploy/kustomize/uninstall")
        let container = try base.container("agent", of: "DaemonSet/netpold-agent")
        #expect(!container.isPrivileged && container.capabilities == agent)
        #expect(try uninstall.container("detach", of: "DaemonSet/netpold-uninstall").capabilities == agent)
        #expect(try base.container("cni", of: "DaemonSet/netpold-agent").capabilities == ["DAC_OVERRIDE"])
        #expect(try uninstall.container("cni-uninstall", of: "DaemonSet/netpold-uninstall").capabilities == [])
        #expect(try bounding("netpold-agent") == agent)
        let proxy = try proxied.container("proxy", of: "DaemonSet/netpold-proxy").capabilities
        #expect(try proxy == bounding("netpold-proxy"))
        // Its namespace is mounted for others, which only the privileged may.
        #expect(try proxied.container("agent", of: "DaemonSet/netpold-agent").isPrivileged)
    }

    private func bounding(_ unit: String) throws -> Set<String> {
        let file = DeployTools.repository.appending(path: "deploy/systemd/\(unit).service")
        let line = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            .first { $0.hasPrefix("CapabilityBoundingSet=") }
        return Set((line ?? "").split(separator: "=").last?.split(separator: " ").map { String($0.dropFirst(4)) } ?? [])
    }
}
