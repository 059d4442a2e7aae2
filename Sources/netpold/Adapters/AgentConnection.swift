import Agent
import ArgumentParser
import Datapath
import Glibc
import Support

/// A command's conversation with the agent, with its failures in words.
struct AgentConnection {
    private let client: LocalClient
    private let timeout: Duration
    private let path: String

    /// Connects; an agent that is not there, or does not answer in time, is said so, exit code 1.
    ///
    /// - Parameters:
    ///   - options: which agent.
    ///   - timeout: how long each answer may take.
    ///   - patience: how long to wait for an agent that is only starting.
    /// - Throws: the exit code.
    init(_ options: InstanceOptions, timeout: Duration, patience: Duration = .zero) throws {
        self.timeout = timeout
        path = options.socketPath
        let deadline = ContinuousClock.now + patience
        while true {
            do throws(SystemError) {
                client = try LocalClient(path: path, timeout: timeout)
                return
            } catch {
                let isAbsent = error.errno == .noSuchFileOrDirectory || error.errno == .connectionRefused
                guard isAbsent, ContinuousClock.now < deadline else {
                    throw AgentConnection.failed(to: options, path, error)
                }
                usleep(20_000)
            }
        }
    }

    private static func failed(to options: InstanceOptions, _ path: String, _ error: SystemError) -> ExitCode {
        switch error.errno {
        case .noSuchFileOrDirectory, .connectionRefused:
            ErrorOutput.error(
                "no agent of instance \(options.instance) answers on \(path)\(others(than: options.instance)); start it with "
                    + "`netpold agent\(flag(options.instance))`\(left(by: options.instance))")
        case .permissionDenied:
            ErrorOutput.error("\(error); only root may talk to the agent")
        default:
            ErrorOutput.error("\(error)")
        }
        return ExitCode.no
    }

    private static func flag(_ instance: String) -> String { instance == "default" ? "" : " --instance \(instance)" }

    /// That what an earlier agent loaded goes on enforcing, where there is any, and how to end that.
    private static func left(by instance: String) -> String {
        guard let pins = try? PinPath(instance: instance).pinned(), !pins.isEmpty else { return "" }
        return ". What an earlier one loaded goes on enforcing until `netpold detach\(flag(instance))`"
    }

    /// The instances whose agent answers: whoever asks the default one of a lab's agent learns its name.
    private static func others(than instance: String) -> String {
        let names = LiveInstances.names().filter { $0 != instance }
        return names.isEmpty ? "" : " (there is --instance \(names.joined(separator: ", ")))"
    }

    /// Sends a request.
    func send(_ request: APIRequest) throws {
        do {
            try client.send(request, timeout: timeout)
        } catch let error as SystemError {
            throw AgentConnection.said(error)
        }
    }

    /// The next reply; the agent's own complaint, its end and its silence are said on standard error, exit code 1.
    func next() throws -> APIReply { try next(timeout: timeout) }

    /// The next reply within another time, `nil` for whenever it comes.
    func next(timeout: Duration?) throws -> APIReply {
        do {
            switch try client.next(timeout: timeout) {
            case .error(let error):
                ErrorOutput.error("the agent refuses: \(error.message)")
                throw ExitCode.no
            case nil:
                ErrorOutput.error("the agent has gone")
                throw ExitCode.no
            case let reply?:
                return reply
            }
        } catch let error as SystemError {
            throw AgentConnection.said(error)
        } catch let error as MessageError {
            ErrorOutput.error("\(path): \(error)")
            throw ExitCode.no
        }
    }

    /// Asks for one reply.
    func ask(_ request: APIRequest) throws -> APIReply {
        try send(request)
        return try next()
    }

    /// All rows of a listing, and how many there are besides.
    func list<Row: ListingRow>(_ type: Row.Type, namespace: String?) throws -> (rows: [Row], leftOut: Int) {
        var request = ListRequest(Row.listing, namespace: namespace)
        var rows: [Row] = []
        while true {
            guard case .page(let page) = try ask(.list(request)), let more = Row.unwrap(page.rows) else {
                throw AgentConnection.unexpected()
            }
            rows += more
            guard let next = page.next else { return (rows, page.leftOut) }
            request.after = next
        }
    }

    private static func said(_ error: SystemError) -> ExitCode {
        ErrorOutput.error("\(error)")
        return ExitCode.no
    }

    /// Says that a reply was not asked for.
    static func unexpected() -> ExitCode {
        ErrorOutput.error("the agent gave an answer that was not asked for; is it of the same version?")
        return ExitCode.no
    }
}
