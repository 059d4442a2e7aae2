internal import NIOCore
internal import NIOHTTP2

/// How HTTP/2 is spoken, and what a peer may do at most before its connection ends. Floods of what costs the sender little are bounded by
/// rate; far above what clients do (gRPC pings once a round trip while it measures bandwidth).
enum HTTP2Limits {
    /// Towards clients.
    static func client(_ limits: ProxyLimits) -> NIOHTTP2Handler.ConnectionConfiguration {
        var result = common(limits)
        result.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.streams),
            // Also bounds what HPACK may expand to.
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.scan.head),
        ]
        return result
    }

    /// Towards servers.
    static func server(_ limits: ProxyLimits) -> NIOHTTP2Handler.ConnectionConfiguration {
        var result = common(limits)
        result.initialSettings = [
            HTTP2Setting(parameter: .enablePush, value: 0),
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 0),
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.scan.head),
        ]
        return result
    }

    /// Of each stream.
    static func stream(_ limits: ProxyLimits) -> NIOHTTP2Handler.StreamConfiguration {
        var result = NIOHTTP2Handler.StreamConfiguration()
        result.outboundBufferSizeHighWatermark = limits.waterMark
        result.outboundBufferSizeLowWatermark = limits.waterMark / 2
        // "Rapid reset".
        result.streamResetFrameRateLimit.maximumCount = limits.resets
        result.streamResetFrameRateLimit.windowLength = .seconds(30)
        result.streamErrorRateLimit.maximumCount = limits.resets
        result.streamErrorRateLimit.windowLength = .seconds(30)
        return result
    }

    private static func common(_ limits: ProxyLimits) -> NIOHTTP2Handler.ConnectionConfiguration {
        var result = NIOHTTP2Handler.ConnectionConfiguration()
        // Answers to PING and SETTINGS that a peer does not read.
        result.maximumBufferedControlFrames = 1_000
        result.maximumSequentialContinuationFrames = 8
        result.maximumSequentialEmptyDataFrames = 8
        result.maximumConnectionGlitches = limits.resets
        result.controlFrameRateLimit.maximumCount = limits.controlFrames
        result.controlFrameRateLimit.windowLength = .seconds(1)
        return result
    }
}
