import ArgumentParser
import Foundation
import KubeClient

/// Where the agent's objects come from.
struct ObjectSourceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Folder of manifests, read recursively and watched.", valueName: "folder"),
        completion: .directory)
    var manifests: String?

    @Option(
        help: ArgumentHelp(
            "Follow the API server of this kubeconfig; several files with colons between them are merged, as in KUBECONFIG.",
            valueName: "file"), completion: .file())
    var kubeconfig: String?

    @Option(
        help: ArgumentHelp(
            "The context of the kubeconfig to use. (default: its current-context)", valueName: "name"))
    var context: String?

    @Flag(help: "Follow the API server of the cluster whose pod the agent is, with its service account.")
    var inCluster = false

    @Flag(
        help: ArgumentHelp(
            "Write what becomes of policies to the API server: the condition Valid of Cilium's, Events for refused ones. One agent of the cluster does so at a time."
        ))
    var policyStatus = false

    @Flag(
        help: ArgumentHelp(
            "Write how this node stands to the API server: counts of policies and problems, in the Lease netpold-nodes/NODE."
        ))
    var nodeStatus = false

    /// What was chosen.
    private enum Choice {
        case folder(String)
        case kubeconfig(String)
        case inCluster
    }

    func validate() throws {
        let given = [
            manifests != nil ? "--manifests" : nil, kubeconfig != nil ? "--kubeconfig" : nil,
            inCluster ? "--in-cluster" : nil,
        ]
        .compactMap { $0 }
        if given.count > 1 {
            throw ValidationError(
                "\(given.joined(separator: " and ")) are two places for the same objects; give one of them")
        }
        switch choiceOrNil() {
        case nil: break
        case .folder(let folder):
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
                throw ValidationError("--manifests \(folder): no such folder")
            }
            guard isFolder.boolValue else {
                throw ValidationError("--manifests \(folder): this is a file; the agent follows the folder it is in")
            }
            if context != nil { throw ValidationError("--context is about a kubeconfig; give --kubeconfig with it") }
            if policyStatus {
                throw ValidationError("--policy-status needs an API server; it does not go with --manifests")
            }
            if nodeStatus {
                throw ValidationError("--node-status needs an API server; it does not go with --manifests")
            }
        case .inCluster:
            if context != nil { throw ValidationError("--context is about a kubeconfig; give --kubeconfig with it") }
        case .kubeconfig: break
        }
        _ = try access()
    }

    /// Whether somebody says where the objects come from. Asked when the arguments are known to be options: a mistyped one is the reason
    /// otherwise.
    ///
    /// - Throws: `ValidationError`.
    func checkChoice() throws { _ = try choice() }

    private func choice() throws -> Choice {
        if let manifests { return .folder(manifests) }
        if let kubeconfig { return .kubeconfig(kubeconfig) }
        if inCluster || InClusterAccess.isThere() { return .inCluster }
        if let files = ProcessInfo.processInfo.environment["KUBECONFIG"], !files.isEmpty { return .kubeconfig(files) }
        throw ValidationError(
            "nobody says where the objects come from; give --kubeconfig FILE for a cluster, or --manifests FOLDER "
                + "(this is no pod with a service account, and KUBECONFIG is not set)")
    }

    /// How to reach the API server; `nil` with a folder.
    ///
    /// - Throws: `ValidationError`, with file, key and what to do.
    func access() throws -> ClusterAccess? {
        do throws(KubeconfigError) {
            switch choiceOrNil() {
            case .kubeconfig(let files): return try Kubeconfig(files).access(context: context)
            case .inCluster: return try InClusterAccess.access()
            case .folder, nil: return nil
            }
        } catch {
            throw ValidationError("\(error)")
        }
    }

    private func choiceOrNil() -> Choice? { try? choice() }
}
