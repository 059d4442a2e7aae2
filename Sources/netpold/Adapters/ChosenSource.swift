import Agent
import ArgumentParser
import KubeClient
import KubeObjects
import ServiceLifecycle

/// Where the agent's objects come from, as the arguments say.
struct ChosenSource {
    /// The source.
    let source: any ObjectSource
    /// What has to run for it.
    let services: [any Service]
    /// Whether it knows every pod.
    let kind: BindingTable.Source
    /// For the log.
    let words: String
    /// What is to be told how the node stands.
    var nodeStatus: NodeStatusWriter?
}

extension ObjectSourceOptions {
    /// Makes the source for the agent of a node; `writer` names the agent among those that may write statuses.
    ///
    /// - Throws: when the folder cannot be listed or watched, or what says how to reach the API server has become wrong.
    func source(node: String, writer: String, lastGood: @autoclosure () throws -> LastGoodFiles) throws -> ChosenSource
    {
        if let manifests {
            return ChosenSource(
                source: try FolderSource(manifests, lastGood: lastGood()), services: [], kind: .folder, words: manifests
            )
        }
        guard let access = try access() else { throw ValidationError("give --kubeconfig FILE or --manifests FOLDER") }
        let source = KubeSource(
            access, status: policyStatus ? StatusWriter.Settings(identity: writer) : nil,
            nodeStatus: nodeStatus ? NodeStatusWriter.Settings(node: node) : nil)
        return ChosenSource(
            source: source, services: [source], kind: .apiServer, words: "\(access.server) by \(access.origin)",
            nodeStatus: source.nodeStatus)
    }
}
