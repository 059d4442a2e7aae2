public import Agent
public import ArgumentParser
public import BPFEmit
public import BenchKit
public import L7Proxy
public import Logging
public import NetTypes
public import PolicyAnalysis
public import PolicyIR

// Types of other modules that options and arguments have: read as they are written everywhere else.

extension HealthAddress: ExpressibleByArgument {
    /// `nil` when it is not a loopback address with a port.
    public init?(argument: String) { self.init(parsing: argument) }
}

extension IPPrefix: ExpressibleByArgument {
    /// Reads `169.254.169.0/24`.
    public init?(argument text: String) { self.init(parsing: text) }
}

extension IPAddress: ExpressibleByArgument {
    /// `nil` when it is not an address.
    public init?(argument: String) { self.init(parsing: argument) }
}

extension RefusedPolicy: ExpressibleByArgument {}
extension ServiceMode: ExpressibleByArgument {}
extension FastPathMode: ExpressibleByArgument {}
extension NameScope: ExpressibleByArgument {}
extension NameOptions.Refusal: ExpressibleByArgument {}
extension UnknownNamespaces: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
extension PolicyTest.Expectation: ExpressibleByArgument {}
extension AccessLog.Format: ExpressibleByArgument {}
extension CompileBench.Part: ExpressibleByArgument {}
