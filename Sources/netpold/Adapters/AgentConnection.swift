import Agent
import ArgumentParser
import Support

/// A command's conversation with the agent, with its failures in words.
struct AgentConnection {
    private let client: LocalClient

    /// Connects; an agent that is not there is said so, exit code 1.
    init(_ options: InstanceOptions) throws {
        let path = options.socketPath
        do throws(SystemError) {
            client = try LocalClient(path: path)
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory, .connectionRefused:
                ErrorOutput.error(
                    "no agent of instance \(options.instance) answers on \(path)\(AgentConnection.others()); start it with "
                        + "`netpold agent`. What an earlier one left in the kernel goes on enforcing until `netpold detach`"
                )
            case .permissionDenied:
                ErrorOutput.error("\(error); only root may talk to the agent")
            default:
                ErrorOutput.error("\(error)")
            }
            throw ExitCode.no
        }
    }

    /// The instances that have a socket: whoever asks the default one of a lab's agent learns its name.
    private static func others() -> String {
        let files = (try? FolderNames.read(InstancePaths.folder)) ?? []
        let names = files.filter { $0.hasSuffix(".sock") }.map { String($0.dropLast(".sock".count)) }
        return names.isEmpty ? "" : " (there is --instance \(names.joined(separator: ", ")))"
    }

    /// Sends a request.
    func send(_ request: APIRequest) throws { try client.send(request) }

    /// The next reply; the agent's own complaint and its end are said on standard error, exit code 1.
    func next() throws -> APIReply {
        switch try client.next() {
        case .error(let error):
            ErrorOutput.error("the agent refuses: \(error.message)")
            throw ExitCode.no
        case nil:
            ErrorOutput.error("the agent has gone")
            throw ExitCode.no
        case let reply?:
            return reply
        }
    }

    /// Asks for one reply.
    func ask(_ request: APIRequest) throws -> APIReply {
        try send(request)
        return try next()
    }

    /// Says that a reply was not asked for.
    static func unexpected() -> ExitCode {
        ErrorOutput.error("the agent gave an answer that was not asked for; is it of the same version?")
        return ExitCode.no
    }
}
