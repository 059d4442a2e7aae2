import Agent
import CNIPlugin
import Foundation
import Glibc
import Support

/// netpold as container runtimes call it: by environment variables, with the configuration on standard input.
enum CNIEntry {
    /// Whether a runtime calls.
    static var isCalled: Bool { getenv("CNI_COMMAND") != nil }

    /// Does what is asked for and ends the process: the result on standard output and 0, or an error there and 1.
    static func run() -> Never {
        var version = CNIVersion.newest
        do throws(CNIError) {
            let invocation = try CNIInvocation(environment: ProcessInfo.processInfo.environment)
            let output: [UInt8]
            if invocation.command == .version {
                // Its input names no network.
                output = CNIVersion.list
            } else {
                let configuration = try CNIConfiguration(try input(), for: invocation.command)
                version = configuration.version
                guard let paths = InstancePaths(instance: configuration.instance) else {
                    throw CNIError(
                        .invalidConfiguration, "instance \"\(configuration.instance)\" is no instance's name")
                }
                output = try CNIPlugin(CNIMachine(), records: CNIRecordFolder(path: paths.cniRecords))
                    .run(invocation, configuration) { ErrorOutput.error("warning: \($0)") }
            }
            write(output)
            exit(0)
        } catch {
            write(error.json(version: version))
            exit(1)
        }
    }

    private static func input() throws(CNIError) -> [UInt8] {
        do {
            return try FileContent.read("-", limit: CNIConfiguration.limit + 1)
        } catch {
            throw CNIError(.inputOutput, "standard input cannot be read", details: "\(error)")
        }
    }

    private static func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count <= 0 { exit(1) }
            rest = rest.dropFirst(count)
        }
    }
}
