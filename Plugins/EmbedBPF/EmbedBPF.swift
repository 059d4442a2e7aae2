import Foundation
import PackagePlugin

/// Compiles the programs of bpf/ during `swift build` and hands them to the targets that load them, as Swift constants.
@main
struct EmbedBPF: BuildToolPlugin {
    /// By target: the source below bpf/, and the constant that it becomes.
    private static let objects = [
        "Datapath": ("np_veth.bpf.c", "EmbeddedBPFObject"), "BenchKit": ("bench/np_bench.bpf.c", "EmbeddedBenchObject"),
    ]

    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let (source, constant) = Self.objects[target.name] else { return [] }
        let package = context.package.directoryURL
        let sources = package.appending(path: "bpf")
        let abi = package.appending(path: "Sources/CNetpoldABI/include")
        let common = [abi.appending(path: "netpold_abi.h")] + headers(in: sources.appending(path: "lib"))
        let tool = try context.tool(named: "embed-bpf").url
        let entry = sources.appending(path: source)
        let output = context.pluginWorkDirectoryURL.appending(path: "\(constant).swift")
        return [
            .buildCommand(
                displayName: "Compiling bpf/\(source) for the kernel",
                executable: tool,
                arguments: [entry.path(), abi.path(), output.path(), constant],
                inputFiles: [entry] + common,
                outputFiles: [output])
        ]
    }

    private func headers(in folder: URL) -> [URL] {
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "h" }.sorted { $0.path() < $1.path() }
    }
}
