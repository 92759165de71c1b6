// What the HTML5 Boilerplate server configurations (h5bp/server-configs-nginx) set up, as routes of
// Sluice. Each line names the file of theirs that it stands for. What needs no line is the default
// here: hidden files, X-Content-Type-Options, media types, no Server field, no directory lists.
//
//   sluice run --config examples/h5bp.config.ts

import { defineGateway, files, redirect, respond } from 'sluice'

const year = 'public, max-age=31536000, immutable'
const week = 'public, max-age=604800'
const hour = 'public, max-age=3600, stale-while-revalidate=3600'

/** What a browser runs or shows as a document of its own. */
const documents = '*.{html,htm,xhtml,js,mjs,pdf,xml,svg,svgz,atom,rdf,rss,xsl}'

const policy = [
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "object-src 'none'; upgrade-insecure-requests",
].join('; ')

export default defineGateway({
  listen: 8080,
  cache: { files: 1000 }, // web_performance/cache-file-descriptors.conf
  routes: {
    'www.example.com/*': redirect(301, 'https://example.com$path'), // conf.d/templates
    '/*': respond(404), // conf.d/no-ssl.default.conf: hosts that nobody has named
    'example.com/*': files('site', {
      errors: { 404: '404.html' }, // errors/custom_errors.conf
      // location/security_file_access.conf
      hide: ['#*#', '*~', '*.{bak,conf,dist,fla,inc,ini,log,orig,psd,sh,sql,swo,swp}'],
      // location/web_performance_filename-based_cache_busting.conf
      cacheBusting:
        '*.{avif,avifs,bmp,css,cur,gif,ico,jpg,jpeg,jxl,js,mjs,png,apng,svg,svgz,webp,webmanifest}',
      headers: {
        // security/strict-transport-security.conf
        'Strict-Transport-Security': 'max-age=16070400; includeSubDomains',
        'Timing-Allow-Origin': '*', // cross-origin/resource_timing.conf
        '*.{html,htm}': { 'X-Frame-Options': 'DENY' }, // security/x-frame-options.conf
        // security/referrer-policy.conf
        '*.css': { 'Referrer-Policy': 'strict-origin-when-cross-origin' },
        [documents]: {
          'Referrer-Policy': 'strict-origin-when-cross-origin',
          'Content-Security-Policy': policy, // security/content-security-policy.conf
          // security/permissions-policy.conf
          'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
          'Cross-Origin-Embedder-Policy': 'require-corp', // security/cross-origin-policy.conf
          'Cross-Origin-Opener-Policy': 'same-origin',
          'Cross-Origin-Resource-Policy': 'same-origin',
        },
        // cross-origin/requests.conf
        '*.{avif,bmp,cur,gif,ico,jpg,jpeg,jxl,png,apng,svg,svgz,webp,eot,otf,ttf,woff,woff2}': {
          'Access-Control-Allow-Origin': '*',
        },
        '*.svgz': { 'Content-Encoding': 'gzip' }, // location/web_performance_svgz-compression.conf
        // media_types/character_encodings.conf
        '*.{json,map,topojson}': { 'Content-Type': 'application/json; charset=utf-8' },
      },
      // web_performance/compression.conf, and what web_performance/pre-compressed_content_*.conf
      // set up: an encoded file beside a file is sent in its place.
      compress: { codings: ['br', 'gzip'], minBytes: 256 },
      precompressed: true,
      cacheControl: {
        '*': year, // web_performance/cache_expiration.conf and cache-control.conf
        '*.{html,htm,md,markdown,ics}': 'private, max-age=0, must-revalidate',
        '*.{json,map,topojson,jsonld,geojson,xml,xhtml,xsl,appcache}': 'no-cache',
        '*.{atom,rdf,rss}': hour,
        '*.{ico,cur,webmanifest}': week,
      },
    }),
  },
})
